//! When the calls of a test came and how long their answers took, as a table with bars, beside the
//! recording where that says so.
//!
//! A table, so that it can be read without seeing the bars. Drawn from times alone.

use crate::escape::{clip, markup};
use rehearsal_model::{CallTime, Evidence};
use std::fmt::Write as _;

/// Calls that are drawn.
const MAX_CALLS: usize = 60;
/// Characters of an operation.
const OPERATION: usize = 60;
/// The shortest bar, in percent of the width.
const THINNEST: f64 = 0.4;

/// The table; empty when the test took no time that is known.
pub(crate) fn waterfall(took_ms: f64, evidence: &Evidence) -> String {
    let Evidence { steps, recorded_ms, .. } = evidence;
    let ends = steps.iter().flat_map(|step| {
        let end = |came: Option<f64>, took: Option<f64>| Some(came? + took.unwrap_or(0.0));
        [end(step.came_ms, step.took_ms), end(step.recorded_came_ms, step.recorded_took_ms)]
    });
    let whole = ends.flatten().chain(*recorded_ms).fold(took_ms, f64::max);
    if whole <= 0.0 || !whole.is_finite() {
        return String::new();
    }
    let recorded = recorded_ms.is_some() || steps.iter().any(|it| it.recorded_came_ms.is_some());
    let scale = Scale { whole, recorded };
    let mut rows = String::new();
    let all = CallTime {
        operation: "the whole test".to_owned(),
        came_ms: Some(0.0),
        took_ms: Some(took_ms),
        recorded_came_ms: recorded_ms.map(|_| 0.0),
        recorded_took_ms: *recorded_ms,
        ..CallTime::default()
    };
    scale.row(&mut rows, &all);
    steps.iter().take(MAX_CALLS).for_each(|step| scale.row(&mut rows, step));
    let left_out = steps.len().saturating_sub(MAX_CALLS);
    let more = match left_out {
        0 => String::new(),
        more => format!("<p class=\"dim\">… and {more} more calls</p>"),
    };
    let was = if recorded { "<th scope=\"col\">recorded</th>" } else { "" };
    format!(
        "<div class=\"wide\" tabindex=\"0\" role=\"group\" aria-label=\"The times\"><table class=\"fall\"><thead><tr><th scope=\"col\">call</th>\
         <th scope=\"col\">came</th><th scope=\"col\">took</th>{was}<th scope=\"col\">{}</th></tr>\
         </thead><tbody>{rows}</tbody></table></div>{more}",
        milliseconds(whole)
    )
}

struct Scale {
    whole: f64,
    recorded: bool,
}

impl Scale {
    fn row(&self, out: &mut String, step: &CallTime) {
        let CallTime { call, edge, operation, came_ms, took_ms, .. } = step;
        let (was_came, was_took) = (step.recorded_came_ms, step.recorded_took_ms);
        let number = call.map_or_else(String::new, |call| format!("{call} "));
        let class = match (came_ms, call) {
            (Some(_), None) if !edge.is_empty() => " class=\"wrong\"",
            (None, _) => " class=\"gone\"",
            _ => "",
        };
        let edge = match edge.as_str() {
            "" => String::new(),
            edge => format!("{} · ", markup(&clip(edge, 26))),
        };
        let operation = markup(&clip(operation, OPERATION));
        let _ = write!(
            out,
            "<tr{class}><th scope=\"row\"><span class=\"dim\">{number}{edge}</span>{operation}</th>\
             <td>{}</td><td>{}</td>",
            came_ms.map_or_else(|| "not seen".to_owned(), milliseconds),
            took_ms.map_or_else(String::new, milliseconds),
        );
        if self.recorded {
            let was = match (was_came, was_took) {
                (Some(came), Some(took)) if !edge.is_empty() => {
                    format!("{} + {}", milliseconds(came), milliseconds(took))
                }
                (_, Some(took)) => milliseconds(took),
                _ => String::new(),
            };
            let _ = write!(out, "<td class=\"dim\">{was}</td>");
        }
        out.push_str("<td class=\"bar\"><svg width=\"100%\" height=\"18\" aria-hidden=\"true\">");
        self.bar(out, ("was", 1, 16), was_came, was_took);
        self.bar(out, ("is", 5, 8), *came_ms, *took_ms);
        out.push_str("</svg></td></tr>");
    }

    /// A bar of a class, so far from the top and so high. Where it stands is said by attributes: a policy
    /// may forbid styles of elements.
    fn bar(
        &self,
        out: &mut String,
        (class, top, height): (&str, u8, u8),
        came: Option<f64>,
        took: Option<f64>,
    ) {
        let Some(came) = came.filter(|came| came.is_finite()) else { return };
        let share = |ms: f64| (ms / self.whole * 100.0).clamp(0.0, 100.0);
        let left = share(came).min(100.0 - THINNEST);
        let width = share(took.unwrap_or(0.0)).max(THINNEST).min(100.0 - left);
        let _ = write!(
            out,
            "<rect class=\"{class}\" x=\"{left:.1}%\" width=\"{width:.1}%\" y=\"{top}\" \
             height=\"{height}\" rx=\"2\"/>"
        );
    }
}

/// A time in a cell: `0.4 ms`, `12 ms`, `1.20 s`.
pub(crate) fn milliseconds(ms: f64) -> String {
    match ms {
        ms if ms >= 999.5 => format!("{:.2} s", ms / 1000.0),
        ms if ms >= 9.95 => format!("{ms:.0} ms"),
        ms if ms >= 0.995 || ms == 0.0 => format!("{ms:.1} ms"),
        ms => format!("{ms:.2} ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(call: Option<usize>, came: Option<f64>, recorded: Option<f64>) -> CallTime {
        CallTime {
            call,
            edge: "pay<b>".to_owned(),
            operation: "POST /c".to_owned(),
            came_ms: came,
            took_ms: came.map(|_| 1.0),
            recorded_came_ms: recorded,
            recorded_took_ms: recorded.map(|_| 5.0),
        }
    }

    #[test]
    fn bars_stand_where_the_times_are() {
        let steps = vec![step(Some(1), Some(5.0), Some(10.0)), step(Some(2), None, None)];
        let evidence = Evidence { steps, recorded_ms: Some(20.0), ..Evidence::default() };
        let text = waterfall(10.0, &evidence);
        for said in [
            "class=\"is\" x=\"25.0%\" width=\"5.0%\"",
            "class=\"was\" x=\"50.0%\" width=\"25.0%\"",
            "class=\"is\" x=\"0.0%\" width=\"50.0%\"",
            "10 ms + 5.0 ms",
            "not seen",
            "pay&lt;b&gt;",
        ] {
            assert!(text.contains(said), "{said} in {text}");
        }
    }

    #[test]
    fn what_is_not_known_or_too_much_is_left_out() {
        assert_eq!(waterfall(0.0, &Evidence::default()), "");
        assert_eq!(waterfall(f64::NAN, &Evidence::default()), "");
        let steps = vec![step(None, Some(1.0), None); 100];
        let text = waterfall(2.0, &Evidence { steps, ..Evidence::default() });
        assert!(text.contains("… and 40 more calls") && !text.contains("recorded"));
        assert_eq!(text.matches("<tr class=\"wrong\">").count(), MAX_CALLS);
    }
}
