//! Which item of one list stands for which of the other.
//!
//! Works on fingerprints, so that it serves lists of values and XML elements alike. The cost is
//! bounded by fuel; without it, items are paired by place.

/// Longer lists, not counting what is equal at both ends, are paired by place.
const MAX_ITEMS: usize = 2000;
/// How many pairs of a gap are scored to find the nearest.
const MAX_SCORED: usize = 1024;

/// What became of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pair {
    /// It stands on both sides, at these places.
    Both(usize, usize),
    /// Only on the expected side.
    Expected(usize),
    /// Only on the actual side.
    Actual(usize),
}

/// Work that one comparison may still spend on alignment, in cells of tables.
#[derive(Debug)]
pub(crate) struct Fuel(pub(crate) usize);

impl Fuel {
    fn take(&mut self, amount: usize) -> bool {
        let enough = self.0 >= amount;
        self.0 = self.0.saturating_sub(amount);
        enough
    }
}

/// Pairs the items of two lists in order, each exactly once. `near` scores two items that are not
/// equal; the higher, the nearer.
pub(crate) fn align(
    expected: &[u64],
    actual: &[u64],
    fuel: &mut Fuel,
    near: impl Fn(usize, usize) -> u32,
) -> Vec<Pair> {
    let front = expected.iter().zip(actual).take_while(|(e, a)| e == a).count();
    let (e_rest, a_rest) = (&expected[front..], &actual[front..]);
    let back = e_rest.iter().rev().zip(a_rest.iter().rev()).take_while(|(e, a)| e == a).count();
    let (e_rest, a_rest) = (&e_rest[..e_rest.len() - back], &a_rest[..a_rest.len() - back]);

    let mut pairs: Vec<Pair> = (0..front).map(|place| Pair::Both(place, place)).collect();
    let mut gap = Gap { e: front..front, a: front..front };
    for (e, a) in common(e_rest, a_rest, fuel) {
        gap.e.end = front + e;
        gap.a.end = front + a;
        gap.fill(fuel, &near, &mut pairs);
        pairs.push(Pair::Both(front + e, front + a));
        gap = Gap { e: front + e + 1..front + e + 1, a: front + a + 1..front + a + 1 };
    }
    gap.e.end = expected.len() - back;
    gap.a.end = actual.len() - back;
    gap.fill(fuel, &near, &mut pairs);
    pairs.extend((0..back).map(|place| Pair::Both(gap.e.end + place, gap.a.end + place)));
    pairs
}

/// The longest common subsequence, or nothing when that would cost too much.
fn common(expected: &[u64], actual: &[u64], fuel: &mut Fuel) -> Vec<(usize, usize)> {
    let (rows, columns) = (expected.len(), actual.len());
    if rows == 0 || columns == 0 || rows.max(columns) > MAX_ITEMS || !fuel.take(rows * columns) {
        return Vec::new();
    }
    // `best[e][a]` is the length that can still be reached from there.
    let width = columns + 1;
    let mut best = vec![0u16; (rows + 1) * width];
    for e in (0..rows).rev() {
        for a in (0..columns).rev() {
            best[e * width + a] = if expected[e] == actual[a] {
                best[(e + 1) * width + a + 1] + 1
            } else {
                best[(e + 1) * width + a].max(best[e * width + a + 1])
            };
        }
    }
    let (mut e, mut a, mut out) = (0, 0, Vec::new());
    while e < rows && a < columns {
        if expected[e] == actual[a] {
            out.push((e, a));
            (e, a) = (e + 1, a + 1);
        } else if best[(e + 1) * width + a] >= best[e * width + a + 1] {
            e += 1;
        } else {
            a += 1;
        }
    }
    out
}

/// Items between two equal ones that have no equal on the other side.
struct Gap {
    e: std::ops::Range<usize>,
    a: std::ops::Range<usize>,
}

impl Gap {
    fn fill(&self, fuel: &mut Fuel, near: &impl Fn(usize, usize) -> u32, out: &mut Vec<Pair>) {
        let cells = self.e.len() * self.a.len();
        let clear = self.e.len() == self.a.len() || cells == 0;
        // Scoring two items looks at many values, hence the factor.
        if clear || cells > MAX_SCORED || !fuel.take(cells * 256) {
            let both = self.e.len().min(self.a.len());
            out.extend(self.e.clone().zip(self.a.clone()).map(|(e, a)| Pair::Both(e, a)));
            out.extend(self.e.clone().skip(both).map(Pair::Expected));
            out.extend(self.a.clone().skip(both).map(Pair::Actual));
        } else {
            self.nearest(near, out);
        }
    }

    /// Pairs as many as there are on the shorter side, in order, so that the sum of scores is best.
    fn nearest(&self, near: &impl Fn(usize, usize) -> u32, out: &mut Vec<Pair>) {
        let (rows, columns) = (self.e.len(), self.a.len());
        let width = columns + 1;
        let mut score = vec![0u32; rows * columns];
        let mut best = vec![0u32; (rows + 1) * width];
        for e in (0..rows).rev() {
            for a in (0..columns).rev() {
                // One more than the score, so that a pair without likeness beats no pair.
                score[e * columns + a] = near(self.e.start + e, self.a.start + a) + 1;
                let pair = best[(e + 1) * width + a + 1] + score[e * columns + a];
                let skip = best[(e + 1) * width + a].max(best[e * width + a + 1]);
                best[e * width + a] = pair.max(skip);
            }
        }
        let (mut e, mut a) = (0, 0);
        while e < rows || a < columns {
            let here = best[e * width + a];
            let pairs = e < rows
                && a < columns
                && here == best[(e + 1) * width + a + 1] + score[e * columns + a];
            if pairs {
                out.push(Pair::Both(self.e.start + e, self.a.start + a));
                (e, a) = (e + 1, a + 1);
            } else if e < rows && here == best[(e + 1) * width + a] {
                out.push(Pair::Expected(self.e.start + e));
                e += 1;
            } else {
                out.push(Pair::Actual(self.a.start + a));
                a += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expected: &str, actual: &str, fuel: usize, wanted: &str) {
        let hashes = |text: &str| text.bytes().map(u64::from).collect::<Vec<_>>();
        let (e, a) = (hashes(expected), hashes(actual));
        // Letters that differ in case only are near.
        let near = |x: usize, y: usize| u32::from(e[x] | 32 == a[y] | 32) * 900;
        let mut out = String::new();
        for pair in align(&e, &a, &mut Fuel(fuel), near) {
            match pair {
                Pair::Both(x, y) if e[x] == a[y] => out.push('='),
                Pair::Both(..) => out.push('~'),
                Pair::Expected(_) => out.push('-'),
                Pair::Actual(_) => out.push('+'),
            }
        }
        assert_eq!(out, wanted, "{expected} {actual}");
    }

    #[test]
    fn pairs_equal_items_then_near_ones() {
        check("", "", 1000, "");
        check("abc", "abc", 0, "===");
        check("abc", "axbc", 1000, "=+==");
        check("abcd", "acd", 1000, "=-==");
        check("abc", "axc", 1000, "=~=");
        check("abc", "xyz", 1000, "~~~");
        check("ab", "xAb", 1000, "+~=");
        check("xab", "Ab", 1000, "-~=");
        check("abcdef", "bcXdeg", 1000, "-==+==~");
        check("", "ab", 1000, "++");
    }

    #[test]
    fn without_fuel_it_pairs_by_place() {
        check("abc", "xaby", 0, "~~~+");
    }
}
