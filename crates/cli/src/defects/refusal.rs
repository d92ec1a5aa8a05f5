//! What a tracker's refusal means to whoever files a defect, and what to do about it. A tracker may
//! repeat what it was asked: a secret is taken out of what is shown. Nothing is asked anew here.

use rehearsal_report::visible;

/// Characters of an answer that are shown.
const SHOWN: usize = 300;

/// What a tracker answered.
pub(super) struct Answer {
    pub(super) status: u16,
    /// `Retry-After`: seconds or a date (RFC 9110, section 10.2.3).
    pub(super) retry_after: Option<String>,
    /// `Location`: where what was asked for is now (RFC 9110, section 10.2.2).
    pub(super) location: Option<String>,
    pub(super) text: String,
}

impl Answer {
    /// Why this is no success, in one line, without any of the secrets.
    pub(super) fn refusal(&self, secrets: &[String]) -> String {
        let mut said = format!("it answered {}", self.status);
        let text = shown(&self.text, secrets);
        if !text.is_empty() {
            said = format!("{said}: {text}");
        }
        match self.advice(secrets) {
            Some(advice) => format!("{said}; {advice}"),
            None => said,
        }
    }

    fn advice(&self, secrets: &[String]) -> Option<String> {
        Some(match self.status {
            300..=399 => match &self.location {
                Some(place) => format!(
                    "what is asked for is at {} now: mend `url` or `project` of `defects`",
                    shown(place, secrets)
                ),
                None => "mend `url` of `defects`: something else answers there".to_owned(),
            },
            401 => {
                "give it a token that is valid, and for Jira the user that it belongs to".to_owned()
            }
            403 => "give it a token that may read and write the issues of this project".to_owned(),
            429 => match &self.retry_after {
                Some(after) if after.bytes().all(|byte| byte.is_ascii_digit()) => {
                    format!("try again after {} s", shown(after, secrets))
                }
                Some(after) => format!("try again after {}", shown(after, secrets)),
                None => "try again later".to_owned(),
            },
            500.. => "try again later".to_owned(),
            _ => return None,
        })
    }
}

/// The beginning of what somebody else wrote. Secrets are taken out before it is cut, so that no part
/// of one is left at its end.
fn shown(text: &str, secrets: &[String]) -> String {
    let mut text = text.trim().to_owned();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        text = text.replace(secret.as_str(), "[token]");
    }
    visible(&text.chars().take(SHOWN).collect::<String>()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, text: &str) -> Answer {
        Answer { status, retry_after: None, location: None, text: text.to_owned() }
    }

    #[test]
    fn a_refusal_says_what_to_do() {
        let cases = [
            (401, "token that is valid"),
            (403, "may read and write"),
            (429, "try again later"),
            (503, "try again later"),
            (302, "something else answers"),
        ];
        for (status, advice) in cases {
            let said = answer(status, "no").refusal(&[]);
            assert!(said.starts_with(&format!("it answered {status}: no; ")), "{said}");
            assert!(said.contains(advice), "{said}");
        }
        assert_eq!(
            answer(422, "title is missing").refusal(&[]),
            "it answered 422: title is missing"
        );
    }

    #[test]
    fn headers_say_when_and_where() {
        let limited = |after: &str| {
            Answer { retry_after: Some(after.to_owned()), ..answer(429, "") }.refusal(&[])
        };
        assert_eq!(limited("30"), "it answered 429; try again after 30 s");
        assert!(limited("Fri, 31 Dec 1999 23:59:59 GMT").ends_with("23:59:59 GMT"));
        let moved =
            Answer { location: Some("https://new.example/x".to_owned()), ..answer(301, "") };
        assert!(moved.refusal(&[]).contains("is at https://new.example/x now"));
    }

    #[test]
    fn no_secret_and_no_control_character_is_shown() {
        let secrets = ["s3cret".to_owned(), "czNjcmV0".to_owned(), String::new()];
        let text = format!("{}s3cret czNjcmV0 \u{1b}[31m", "x".repeat(SHOWN - 3));
        let moved = Answer {
            location: Some("https://s3cret@new.example".to_owned()),
            ..answer(301, &text)
        };
        let said = moved.refusal(&secrets);
        assert!(
            !said.contains("s3c") && !said.contains("czNj") && !said.contains('\u{1b}'),
            "{said}"
        );
    }
}
