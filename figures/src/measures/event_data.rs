//! What the insights read from an event's data: everything optional, anything of another type ignored.

use serde_json::{Map, Value};

use crate::counters::rows::TableId;
use crate::model::Event;
use crate::numbers::MICROS;

/// The most characters of a message that errors are grouped by.
pub const MAX_MESSAGE: usize = 256;

/// Above this a number is no measurement.
const MAX_NUMBER: f64 = 1e9;

/// An event's data.
#[derive(Debug, Clone, Default)]
pub struct EventData(Map<String, Value>);

impl EventData {
    /// The data of an event.
    pub fn of(event: &Event) -> Self {
        event.data.as_ref().and_then(|data| serde_json::from_str(data.get()).ok()).map(EventData).unwrap_or_default()
    }

    /// A text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    /// The first 256 characters of `message`.
    pub fn message(&self) -> Option<String> {
        self.text("message").map(|message| message.chars().take(MAX_MESSAGE).collect())
    }

    /// A number that can be a measurement: not negative, not absurd.
    pub fn number(&self, name: &str) -> Option<f64> {
        self.0.get(name).and_then(Value::as_f64).filter(|number| (0.0..=MAX_NUMBER).contains(number))
    }

    /// A number in millionths.
    pub fn micros(&self, name: &str) -> Option<i64> {
        self.number(name).map(|number| (number * MICROS as f64).round() as i64)
    }

    /// A whole number, however its sender writes it: 5, 5.0 or 5e0.
    pub fn whole(&self, name: &str) -> Option<u64> {
        let value = self.0.get(name)?;
        let written_otherwise = || value.as_f64().filter(|number| *number >= 0.0 && number.fract() == 0.0);
        value.as_u64().or_else(|| written_otherwise().map(|number| number as u64))
    }

    /// A value as it is; null where there is none.
    pub fn value(&self, name: &str) -> Value {
        self.0.get(name).cloned().unwrap_or_default()
    }
}

/// The key of a row that stands for several texts, some of which may be unknown.
pub fn joint_key<const N: usize>(parts: [Option<&str>; N]) -> String {
    Value::from(parts.map(|part| part.map_or(Value::Null, Value::from)).to_vec()).to_string()
}

/// What the keys of [`joint_key`] begin with that stand for these texts and more.
pub fn joint_prefix<const N: usize>(parts: [Option<&str>; N]) -> String {
    let mut prefix = joint_key(parts);
    prefix.pop();
    prefix.push(',');
    prefix
}

/// The texts that a key of [`joint_key`] stands for; all unknown in the row of what is not kept apart,
/// but for the first, which is then that row's key.
pub fn parts<const N: usize>(key: &str) -> [Option<String>; N] {
    let mut parts = [const { None }; N];
    match serde_json::from_str::<Vec<Option<String>>>(key) {
        Ok(texts) => parts.iter_mut().zip(texts).for_each(|(part, text)| *part = text),
        Err(_) => {
            if let Some(first) = parts.first_mut() {
                *first = Some(key.to_owned());
            }
        }
    }
    parts
}

/// The table of a name, by its position in a list of them.
pub fn table_of(names: &[&str], name: &str) -> Option<TableId> {
    names.iter().position(|known| *known == name).and_then(|position| TableId::try_from(position).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_number_may_be_written_as_a_fraction() {
        let data = |json: &str| EventData(serde_json::from_str(json).unwrap_or_default());
        for (json, expected) in [
            (r#"{"n":5}"#, Some(5)),
            (r#"{"n":5.0}"#, Some(5)),
            (r#"{"n":5e0}"#, Some(5)),
            (r#"{"n":0.0}"#, Some(0)),
            (r#"{"n":5.5}"#, None),
            (r#"{"n":-5}"#, None),
            (r#"{"n":"5"}"#, None),
            (r#"{"n":null}"#, None),
            ("{}", None),
        ] {
            assert_eq!(data(json).whole("n"), expected, "{json}");
        }
    }

    #[test]
    fn joint_keys_read_back_whatever_is_in_them() {
        for texts in [[Some("a"), None], [Some("\u{1f}\"],["), Some("")], [None, None]] {
            assert_eq!(parts(&joint_key(texts)), texts.map(|text| text.map(str::to_owned)));
        }
        let longer = joint_key([Some("a"), None, Some("b")]);
        assert!(longer.starts_with(&joint_prefix([Some("a"), None])) && longer.starts_with(&joint_prefix([Some("a")])));
        assert!(!longer.starts_with(&joint_prefix([Some("a"), Some("")])));
        assert_eq!(parts("(other)"), [Some("(other)".to_owned()), None]);
    }
}
