//! What a Content-Type says (RFC 9110, section 8.3), as far as bodies are shown by it.

/// Whether the content type is this one, whatever its parameters and case.
pub(super) fn is(content_type: Option<&str>, essence: &str) -> bool {
    content_type.is_some_and(|value| self::essence(value).eq_ignore_ascii_case(essence))
}

/// Whether the content type is that of JSON and no other form of content has it.
pub(super) fn is_plain_json(content_type: Option<&str>) -> bool {
    const JSON: &[u8] = b"application/json";
    let Some((essence, rest)) =
        content_type.and_then(|it| it.as_bytes().split_at_checked(JSON.len()))
    else {
        return false;
    };
    essence.eq_ignore_ascii_case(JSON) && matches!(rest.first(), None | Some(b';'))
}

/// The type and subtype, without parameters.
pub(super) fn essence(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

/// Whether the content is worth reading as JSON: it says so, or it looks like an object or a list
/// under a type that servers give to anything.
pub(super) fn may_be_json(content_type: Option<&str>, bytes: &[u8]) -> bool {
    let looks = matches!(bytes.first(), Some(b'{' | b'['));
    let Some(content_type) = content_type else { return looks };
    let essence = essence(content_type);
    let tail = essence.len().saturating_sub(4);
    let says = essence.get(tail..).is_some_and(|tail| tail.eq_ignore_ascii_case("json"));
    says || (looks && !essence.contains("multipart"))
}

/// The boundary of a multipart content type.
pub(super) fn boundary(content_type: Option<&str>) -> Option<&str> {
    let content_type = content_type?;
    let multipart =
        content_type.get(..10).is_some_and(|kind| kind.eq_ignore_ascii_case("multipart/"));
    let mut parameters = content_type.split(';').skip(1).filter(|_| multipart);
    parameters.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let boundary = value.trim().trim_matches('"');
        let valid = name.trim().eq_ignore_ascii_case("boundary");
        (valid && !boundary.is_empty() && boundary.len() <= 70).then_some(boundary)
    })
}

/// The content type without its boundary parameter.
pub(super) fn without_boundary(content_type: &str) -> String {
    let is_boundary = |parameter: &&str| {
        let name = parameter.split('=').next().unwrap_or_default();
        !name.trim().eq_ignore_ascii_case("boundary")
    };
    content_type.split(';').filter(is_boundary).map(str::trim).collect::<Vec<_>>().join("; ")
}
