//! What is to be replaced in one text, made free of overlaps so that no part of a secret stays.

use std::ops::Range;

/// What is to be replaced, and by what.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Edit {
    pub(super) range: Range<usize>,
    pub(super) put: Put,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Put {
    Text(String),
    /// The placeholder of a kind for what stands there.
    Placeholder(&'static str),
}

/// All that was found in a text, in the order in which it was found.
#[derive(Default)]
pub(super) struct Edits {
    named: Vec<(Range<usize>, String)>,
    shaped: Vec<(Range<usize>, &'static str)>,
}

impl Edits {
    /// Adds the value of a name.
    pub(super) fn named(&mut self, range: Range<usize>, text: String) {
        self.named.push((range, text));
    }

    /// Adds what has the shape of a secret.
    pub(super) fn shaped(&mut self, range: Range<usize>, kind: &'static str) {
        self.shaped.push((range, kind));
    }

    /// The edits in the order of the text. Of two named values that overlap the first counts; shapes
    /// that overlap are one secret, of the kind that was found first; a shape that goes beyond a named
    /// value is replaced beyond it.
    pub(super) fn settled(self) -> Vec<Edit> {
        let mut named: Vec<(Range<usize>, String)> = Vec::with_capacity(self.named.len());
        let mut found = self.named;
        found.sort_by_key(|(range, _)| range.start);
        for (range, text) in found {
            if named.last().is_none_or(|(last, _)| last.end <= range.start) {
                named.push((range, text));
            }
        }
        let mut settled = Vec::with_capacity(named.len() + self.shaped.len());
        for (range, kind) in united(self.shaped) {
            let mut start = range.start;
            let first = named.partition_point(|(other, _)| other.end <= range.start);
            for (other, _) in named[first..].iter().take_while(|(other, _)| other.start < range.end)
            {
                settled.push(Edit { range: start..other.start, put: Put::Placeholder(kind) });
                start = other.end;
            }
            settled.push(Edit { range: start..range.end, put: Put::Placeholder(kind) });
        }
        settled.retain(|edit| edit.range.start < edit.range.end);
        settled.extend(named.into_iter().map(|(range, text)| Edit { range, put: Put::Text(text) }));
        settled.sort_by_key(|edit| edit.range.start);
        settled
    }
}

fn united(shaped: Vec<(Range<usize>, &'static str)>) -> Vec<(Range<usize>, &'static str)> {
    let mut found: Vec<_> = shaped.into_iter().enumerate().collect();
    found.sort_by_key(|(_, (range, _))| range.start);
    let mut united: Vec<(usize, (Range<usize>, &'static str))> = Vec::with_capacity(found.len());
    for (number, (range, kind)) in found {
        match united.last_mut() {
            Some((first, (last, last_kind))) if range.start < last.end => {
                last.end = last.end.max(range.end);
                if number < *first {
                    (*first, *last_kind) = (number, kind);
                }
            }
            _ => united.push((number, (range, kind))),
        }
    }
    united.into_iter().map(|(_, found)| found).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlaps_leave_nothing_out() {
        let mut edits = Edits::default();
        edits.named(10..20, "x".into());
        edits.named(15..25, "dropped".into());
        edits.shaped(18..30, "jwt");
        edits.shaped(5..12, "pem");
        edits.shaped(28..33, "aws");
        edits.shaped(12..15, "inside");
        let placeholder = |range, kind| Edit { range, put: Put::Placeholder(kind) };
        assert_eq!(
            edits.settled(),
            [
                placeholder(5..10, "pem"),
                Edit { range: 10..20, put: Put::Text("x".into()) },
                placeholder(20..33, "jwt"),
            ]
        );
    }
}
