//! Messages that stay the same while their cause does.

/// The longest message of a condition, in characters. The API server takes 32768; this is what a person reads.
pub const MAX_CHARS: usize = 1024;

/// Cut to [`MAX_CHARS`], and without the number of attempts.
pub fn stable(text: &str) -> String {
    cut(&without_attempts(text))
}

/// At most [`MAX_CHARS`] characters.
pub fn cut(text: &str) -> String {
    if text.chars().count() <= MAX_CHARS {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(MAX_CHARS - 1).collect();
    short.push('…');
    short
}

/// The sentence, then what to do.
pub fn with_hint(what: &str, hint: Option<&str>) -> String {
    match hint {
        Some(hint) => format!("{what}; {hint}"),
        None => what.to_owned(),
    }
}

/// How often something was tried differs from pass to pass: ` (3 attempts)` goes.
fn without_attempts(text: &str) -> String {
    let mut rest = text;
    let mut kept = String::with_capacity(text.len());
    while let Some((before, after)) = rest.split_once(" (") {
        kept.push_str(before);
        let counted = after.split_once(')').filter(|(inside, _)| is_attempts(inside));
        rest = if let Some((_, behind)) = counted {
            behind
        } else {
            kept.push_str(" (");
            after
        };
    }
    kept.push_str(rest);
    kept
}

fn is_attempts(inside: &str) -> bool {
    let count = inside
        .strip_suffix(" attempts")
        .or_else(|| inside.strip_suffix(" attempt"));
    count.is_some_and(|count| !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_attempts_is_no_part_of_a_message() {
        let text = "failed to POST http://x (y): the server answered 503 (3 attempts): down (1 attempt) (2 attempts";
        assert_eq!(
            stable(text),
            "failed to POST http://x (y): the server answered 503: down (2 attempts"
        );
    }

    #[test]
    fn a_long_message_is_cut_between_characters() {
        let long = "가".repeat(MAX_CHARS + 5);
        let short = stable(&long);
        assert_eq!(short.chars().count(), MAX_CHARS);
        assert!(short.ends_with('…'));
    }
}
