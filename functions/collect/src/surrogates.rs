//! Halves of surrogate pairs, which JavaScript's strings may hold and no Unicode text can.
//!
//! A string that was cut in the middle of an emoji ends in one, and `JSON.stringify` writes it as an escape. That is
//! JSON by its grammar (RFC 8259, section 8.2), so it costs the character, not the batch.

use std::borrow::Cow;

/// A JSON text in which `\ufffd` stands for each half of a pair that stands alone. Both are six bytes, so no length and
/// no place in the text changes.
pub fn replaced(text: &str) -> Cow<'_, str> {
    // Few texts have any escape of a surrogate at all.
    if !text.contains(r"\ud") && !text.contains(r"\uD") {
        return Cow::Borrowed(text);
    }
    let mut whole = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        whole.push_str(before);
        let (written, length) = match (unit(escape), escape.get(ESCAPE..).and_then(unit)) {
            (Some(HIGH_FIRST..=HIGH_LAST), Some(LOW_FIRST..=LOW_LAST)) => (escape.get(..2 * ESCAPE), 2 * ESCAPE),
            (Some(HIGH_FIRST..=LOW_LAST), _) => (Some(REPLACEMENT), ESCAPE),
            // The backslash with what it escapes, which may be another one.
            _ => {
                let length = escape.chars().take(2).map(char::len_utf8).sum();
                (escape.get(..length), length)
            }
        };
        whole.push_str(written.unwrap_or_default());
        rest = escape.get(length..).unwrap_or_default();
    }
    whole.push_str(rest);
    Cow::Owned(whole)
}

/// Bytes of `\uXXXX`.
const ESCAPE: usize = 6;
const REPLACEMENT: &str = r"\ufffd";
const HIGH_FIRST: u16 = 0xd800;
const HIGH_LAST: u16 = 0xdbff;
const LOW_FIRST: u16 = 0xdc00;
const LOW_LAST: u16 = 0xdfff;

/// The UTF-16 code unit of an escape at the beginning of a text.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix(r"\u")?.get(..4)?;
    // `from_str_radix` takes a sign, too.
    digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    #[test]
    fn halves_are_replaced_and_pairs_are_not() {
        for (text, expected) in [
            (r#""\ud83d\ude00""#, r#""\ud83d\ude00""#),
            (r#""\uD83D\uDE00""#, r#""\uD83D\uDE00""#),
            (r#""\ud83d""#, r#""\ufffd""#),
            (r#""a\uDE00b""#, r#""a\ufffdb""#),
            (r#""\ud83d\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#),
            (r#""\ude00\ud83d""#, r#""\ufffd\ufffd""#),
            (r#""\ud83dx\ude00""#, r#""\ufffdx\ufffd""#),
            (r#""\ud83d\n\u0041""#, r#""\ufffd\n\u0041""#),
            (r#""\udbff\udfff\ud800\udc00""#, r#""\udbff\udfff\ud800\udc00""#),
            (r#""\ud7ff\ue000""#, r#""\ud7ff\ue000""#),
            // A backslash that is escaped escapes nothing.
            (r#""\\ud83d""#, r#""\\ud83d""#),
            (r#""\\\ud83d""#, r#""\\\ufffd""#),
            (r#"{"\ud800":["\udfff"]}"#, r#"{"\ufffd":["\ufffd"]}"#),
            ("\"\u{e9}\\\u{e9}\\ud800\u{1f600}\"", "\"\u{e9}\\\u{e9}\\ufffd\u{1f600}\""),
        ] {
            assert_eq!(replaced(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_escape_is_left_to_the_reader() {
        for text in [r"\ud", r"\ud8", r"\uD83", r"\ud+12", r"\udé12", r"\", r"\ud83d\", r"\ud83d\u", r"\ud83d\ude0"] {
            assert_eq!(replaced(text).len(), text.len(), "{text}");
            assert!(serde_json::from_str::<Value>(&format!("\"{}\"", replaced(text))).is_err(), "{text}");
        }
        assert!(matches!(replaced(r#""\u00e9 \\ \n""#), Cow::Borrowed(_)));
    }

    proptest! {
        /// As JavaScript does it: `String.prototype.toWellFormed`.
        #[test]
        fn any_code_units_are_read_as_well_formed(units in proptest::collection::vec(
            prop_oneof![any::<u16>(), 0xd800..=0xdfff_u16, Just(0x5c)], 0..12,
        )) {
            let escaped: String = units.iter().map(|unit| format!("\\u{unit:04x}")).collect();
            let text = format!("\"{escaped}\"");
            let read: String = serde_json::from_str(&replaced(&text)).map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(read, String::from_utf16_lossy(&units));
        }

        #[test]
        fn any_text_keeps_its_length(text in "[\\\\uUdD89aAfF0-9é\"]{0,40}") {
            prop_assert_eq!(replaced(&text).len(), text.len());
        }
    }
}
