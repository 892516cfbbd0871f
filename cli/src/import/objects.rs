//! The JSON objects of a text: one a line, one after the other, or in an array, however they are spread over lines.

use std::io::{self, BufRead};

use super::input::Text;

/// The largest object: a visit of ten thousand actions.
const MAX_OBJECT: usize = 16 << 20;

/// An object's text, or why there is none, and the line where it begins, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where it begins.
    pub line: u64,
    /// The object.
    pub text: Result<Vec<u8>, Broken>,
}

/// What is no object. What comes after it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// Other text.
    #[error("is no JSON object")]
    NoObject,
    /// A line ends, or another object begins, where an object should go on.
    #[error("is a JSON object that does not end")]
    Endless,
    /// An array that goes on where the text ends.
    #[error("is where the text ends within an array: something may be missing")]
    Cut,
    /// An object that is too large.
    #[error("is a JSON object of more than {} MB", MAX_OBJECT >> 20)]
    TooLong,
}

/// The objects of a text.
pub struct Objects {
    text: Text,
    scanner: Scanner,
}

impl Objects {
    /// Those of a text.
    pub fn new(text: Text) -> Self {
        Objects {
            text,
            scanner: Scanner { state: State::Between, line: 1, began: 1, arrays: 0, object: Vec::new(), length: 0 },
        }
    }
}

impl Iterator for Objects {
    type Item = io::Result<Found>;

    fn next(&mut self) -> Option<Self::Item> {
        let Objects { text, scanner } = self;
        loop {
            let buffer = match text.fill_buf() {
                Ok([]) => return scanner.end().map(Ok),
                Ok(buffer) => buffer,
                Err(error) => return Some(Err(error)),
            };
            let (mut consumed, mut found) = (0, None);
            while let (Some(byte), None) = (buffer.get(consumed), &found) {
                found = scanner.take(*byte);
                consumed += 1;
            }
            text.consume(consumed);
            if let Some(found) = found {
                return Some(Ok(found));
            }
        }
    }
}

struct Scanner {
    state: State,
    line: u64,
    began: u64,
    /// Arrays that have begun and not ended, outside of objects.
    arrays: u64,
    object: Vec<u8>,
    length: usize,
}

#[derive(Clone, Copy)]
enum State {
    /// Outside of any object.
    Between,
    /// In what is none, until the line ends.
    Other,
    /// In an object, and in so many brackets of it.
    Inside { depth: u32, at_line_start: bool },
    /// In a text within an object.
    Text { depth: u32, is_escaped: bool },
}

impl Scanner {
    fn take(&mut self, byte: u8) -> Option<Found> {
        self.line += u64::from(byte == b'\n');
        match (self.state, byte) {
            (State::Between, b'{') => {
                self.begin();
                None
            }
            (State::Between, b'[') => {
                self.arrays += 1;
                None
            }
            (State::Between, b']') => {
                self.arrays = self.arrays.saturating_sub(1);
                None
            }
            (State::Between, b' ' | b'\t' | b'\r' | b'\n' | b',') => None,
            (State::Between, _) => {
                self.state = State::Other;
                self.began = self.line;
                None
            }
            (State::Other, b'\n') => self.broken(Broken::NoObject),
            (State::Other, _) => None,
            (State::Inside { at_line_start: true, .. }, b'{') => {
                let found = self.broken(Broken::Endless);
                self.begin();
                found
            }
            (State::Inside { depth, .. }, _) => self.inside(depth, byte),
            (State::Text { .. }, b'\n') => self.broken(Broken::Endless),
            (State::Text { depth, is_escaped }, _) => {
                self.keep(byte);
                self.state = match byte {
                    b'"' if !is_escaped => State::Inside { depth, at_line_start: false },
                    _ => State::Text { depth, is_escaped: byte == b'\\' && !is_escaped },
                };
                None
            }
        }
    }

    fn inside(&mut self, depth: u32, byte: u8) -> Option<Found> {
        self.keep(byte);
        let inside = |depth| State::Inside { depth, at_line_start: byte == b'\n' };
        self.state = match byte {
            b'"' => State::Text { depth, is_escaped: false },
            b'{' | b'[' => inside(depth.saturating_add(1)),
            b'}' | b']' => inside(depth.saturating_sub(1)),
            _ => inside(depth),
        };
        if !matches!(self.state, State::Inside { depth: 0, .. }) {
            return None;
        }
        self.state = State::Between;
        let text = if self.length > MAX_OBJECT { Err(Broken::TooLong) } else { Ok(std::mem::take(&mut self.object)) };
        Some(Found { line: self.began, text })
    }

    fn begin(&mut self) {
        self.state = State::Inside { depth: 1, at_line_start: false };
        self.began = self.line;
        self.object = vec![b'{'];
        self.length = 1;
    }

    fn keep(&mut self, byte: u8) {
        self.length += 1;
        if self.length <= MAX_OBJECT {
            self.object.push(byte);
        }
    }

    fn broken(&mut self, broken: Broken) -> Option<Found> {
        self.state = State::Between;
        Some(Found { line: self.began, text: Err(broken) })
    }

    fn end(&mut self) -> Option<Found> {
        match self.state {
            State::Between if self.arrays > 0 => {
                (self.arrays, self.began) = (0, self.line);
                self.broken(Broken::Cut)
            }
            State::Between => None,
            State::Other => self.broken(Broken::NoObject),
            State::Inside { .. } | State::Text { .. } => self.broken(Broken::Endless),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use std::io::BufReader;

    fn objects(text: &str) -> Vec<(u64, Result<String, Broken>)> {
        let input = BufReader::with_capacity(3, io::Cursor::new(text.to_owned()));
        let found = Objects::new(Box::new(input)).map(Result::unwrap);
        found.map(|found| (found.line, found.text.map(|text| String::from_utf8(text).unwrap()))).collect()
    }

    fn ok(line: u64, text: &str) -> (u64, Result<String, Broken>) {
        (line, Ok(text.to_owned()))
    }

    #[test]
    fn objects_are_found_in_lines_and_in_arrays() {
        let expected = |lines: [u64; 2]| vec![ok(lines[0], r#"{"a":"}\"{"}"#), ok(lines[1], r#"{"b":[{}]}"#)];
        let (one, two) = (r#"{"a":"}\"{"}"#, r#"{"b":[{}]}"#);
        assert_eq!(objects(&format!("{one}\n{two}\n")), expected([1, 2]));
        assert_eq!(objects(&format!("{one}\r\n\r\n{two}")), expected([1, 3]));
        assert_eq!(objects(&format!("[{one},{two}]")), expected([1, 1]));
        assert_eq!(objects(&format!("[\n  {one},\n  {two}\n]\n")), expected([2, 3]));
        assert_eq!(objects(&format!("[{one}]\n[{two}]")), expected([1, 2]));
        assert_eq!(
            objects("[\n  {\n    \"a\": [\n      {}\n    ]\n  }\n]"),
            [ok(2, "{\n    \"a\": [\n      {}\n    ]\n  }")]
        );
        assert_eq!(objects("[]\n"), []);
    }

    #[test]
    fn what_is_broken_costs_no_other_object() {
        let broken = |line, broken| (line, Err(broken));
        assert_eq!(objects("{\"a\":1\n{\"b\":2}\n"), [broken(1, Broken::Endless), ok(2, "{\"b\":2}")]);
        assert_eq!(objects("{\"a\":\"1\n{\"b\":2}\n"), [broken(1, Broken::Endless), ok(2, "{\"b\":2}")]);
        assert_eq!(
            objects("date,visitors\n{\"b\":2}}\n{}"),
            [broken(1, Broken::NoObject), ok(2, "{\"b\":2}"), broken(2, Broken::NoObject), ok(3, "{}")]
        );
        assert_eq!(objects("{\"a\":[1"), [broken(1, Broken::Endless)]);
        assert_eq!(objects("[{}\n,{},"), [ok(1, "{}"), ok(2, "{}"), broken(2, Broken::Cut)]);
        assert_eq!(objects("[[[\n"), [broken(2, Broken::Cut)]);
        let long = format!("{{\"a\":\"{}\"}}\n{{}}", "x".repeat(MAX_OBJECT));
        assert_eq!(objects(&long), [broken(1, Broken::TooLong), ok(2, "{}")]);
    }

    proptest! {
        #[test]
        fn no_text_stops_it(text in "[{}\\[\\]\",\\\\ab1\n ]{0,60}") {
            for (line, found) in objects(&text) {
                prop_assert!(line >= 1 && found.is_err() || found.is_ok_and(|object| text.contains(&object)));
            }
        }

        #[test]
        fn every_object_is_found(texts in proptest::collection::vec("\\PC{0,20}", 0..6), is_pretty: bool, is_array: bool) {
            let expected: Vec<Value> = texts.iter().map(|text| json!({ text: [text, { "a": text }], "b": {} })).collect();
            let written = |value: &Value| if is_pretty { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) };
            let text = if is_array {
                written(&Value::from(expected.clone())).unwrap()
            } else {
                expected.iter().map(|value| written(value).unwrap() + "\n").collect()
            };
            let found: Vec<Value> = objects(&text).into_iter().map(|(_, object)| serde_json::from_str(&object.unwrap()).unwrap()).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
