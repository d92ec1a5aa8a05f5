//! Which lines of a file become which, for people.

/// Longer files are not compared line by line.
const MAX_LINES: usize = 2000;

/// Lines that went, with `-`, and that came, with `+`, in order.
pub(super) fn changed(before: &str, after: &str) -> Vec<(char, String)> {
    let (one, other): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let front = one.iter().zip(&other).take_while(|(one, other)| one == other).count();
    let most = one.len().min(other.len()) - front;
    let back = one.iter().rev().zip(other.iter().rev()).take(most);
    let back = back.take_while(|(one, other)| one == other).count();
    let (one, other) = (&one[front..one.len() - back], &other[front..other.len() - back]);
    let own = |sign: char, line: &&str| (sign, (*line).to_owned());
    if one.len().max(other.len()) > MAX_LINES {
        return one
            .iter()
            .map(|it| own('-', it))
            .chain(other.iter().map(|it| own('+', it)))
            .collect();
    }
    // The longest that is common from each place on.
    let width = other.len() + 1;
    let mut best = vec![0u16; (one.len() + 1) * width];
    for a in (0..one.len()).rev() {
        for b in (0..other.len()).rev() {
            best[a * width + b] = match one[a] == other[b] {
                true => best[(a + 1) * width + b + 1] + 1,
                false => best[(a + 1) * width + b].max(best[a * width + b + 1]),
            };
        }
    }
    let (mut a, mut b, mut out) = (0, 0, Vec::new());
    while a < one.len() || b < other.len() {
        if a < one.len() && b < other.len() && one[a] == other[b] {
            (a, b) = (a + 1, b + 1);
        } else if b == other.len()
            || a < one.len() && best[(a + 1) * width + b] >= best[a * width + b + 1]
        {
            out.push(own('-', &one[a]));
            a += 1;
        } else {
            out.push(own('+', &other[b]));
            b += 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::changed;

    #[test]
    fn lines_that_stay_are_not_told() {
        let told = changed("a\nb\nc\nd\n", "a\nx\nc\nd\ne\n");
        let told: Vec<String> = told.iter().map(|(sign, line)| format!("{sign}{line}")).collect();
        assert_eq!(told, ["-b", "+x", "+e"]);
        assert_eq!(changed("a\n", "a\n"), []);
    }
}
