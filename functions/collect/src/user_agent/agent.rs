//! A `User-Agent`, taken apart.

/// The header, and what of it is told from the rest.
#[derive(Debug, Clone, Copy)]
pub struct Agent<'a> {
    /// All of it, without spaces around it.
    pub text: &'a str,
    /// What the first parentheses hold: the device, its system, the make.
    pub device: &'a str,
}

impl<'a> Agent<'a> {
    /// Takes a header apart.
    pub fn of(text: &'a str) -> Self {
        let text = text.trim();
        let device = text.split_once('(').map_or("", |(_, rest)| &rest[..end_of_parentheses(rest)]);
        Agent { text, device }
    }

    /// Whether it has a text, where a word begins.
    pub fn has(&self, text: &str) -> bool {
        word(self.text, text).is_some()
    }

    /// Whether the device's part has a text, where a word begins.
    pub fn is_on(&self, text: &str) -> bool {
        word(self.device, text).is_some()
    }

    /// Whether Chromium's engine is behind it, or it says nothing of an engine. What else sends client hints has borrowed
    /// its user agent elsewhere.
    pub fn is_of_chromium(&self) -> bool {
        self.has("Chrome/") || !(self.has("AppleWebKit/") || self.has("Gecko/"))
    }

    /// The version that stands after a text, such as `Chrome/`.
    pub fn version(&self, after: &str) -> Option<&'a str> {
        let rest = word(self.text, after)?;
        let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric() && !"._-+".contains(letter));
        let version = rest[..end.unwrap_or(rest.len())].trim_end_matches(['.', '_', '-', '+']);
        Some(version).filter(|version| version.starts_with(|first: char| first.is_ascii_digit()))
    }
}

/// What follows a text's first place at the beginning of a word.
fn word<'a>(text: &'a str, wanted: &str) -> Option<&'a str> {
    let begins_word = |at: usize| !text[..at].ends_with(|letter: char| letter.is_ascii_alphanumeric());
    let (at, _) = text.match_indices(wanted).find(|(at, _)| begins_word(*at))?;
    Some(&text[at + wanted.len()..])
}

/// Where the parentheses end that a text is within; others may be within them.
fn end_of_parentheses(text: &str) -> usize {
    let mut open = 1_usize;
    let end = text.bytes().position(|byte| {
        match byte {
            b'(' => open += 1,
            b')' => open -= 1,
            _ => {}
        }
        open == 0
    });
    end.unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_device_is_what_the_first_parentheses_hold() {
        for (text, device) in [
            ("Mozilla/5.0 (X11; Linux (x86) a) b (c)", "X11; Linux (x86) a"),
            ("Mozilla/5.0 (X11; Linux", "X11; Linux"),
            ("a) b", ""),
            ("", ""),
            ("()", ""),
        ] {
            assert_eq!(Agent::of(text).device, device, "{text}");
        }
    }

    #[test]
    fn a_version_follows_a_name_at_a_words_beginning() {
        let agent =
            Agent::of("Mozilla/5.0 HeadChrome/1.0 Chrome/126.0.0.0, Opera Mini/7.1 [FBAV/469.0;FBLC/en] X/y Z/1.2.");
        for (after, version) in [
            ("Chrome/", Some("126.0.0.0")),
            ("Opera Mini/", Some("7.1")),
            ("FBAV/", Some("469.0")),
            ("X/", None),
            ("Z/", Some("1.2")),
            ("Nothing/", None),
        ] {
            assert_eq!(agent.version(after), version, "{after}");
        }
    }
}
