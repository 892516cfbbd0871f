//! Values that keep to the collector's rules: each is checked while it is read, so that the reader's
//! path names the field that breaks one.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use figures::time::Millis;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::limits::{MAX_DATA, MAX_NAME, MAX_URL};

/// A JSON value as far as the rules tell values apart: one message a rule, whatever was sent instead.
enum Scalar<'de> {
    Text(Cow<'de, str>),
    Whole(u64),
    /// A number that is not negative, with a fraction.
    Fraction(f64),
    Other,
}

impl<'de> Deserialize<'de> for Scalar<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyValue;
        impl<'de> Visitor<'de> for AnyValue {
            type Value = Scalar<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON value")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Scalar<'de>, E> {
                Ok(Scalar::Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Scalar<'de>, E> {
                Ok(Scalar::Text(Cow::Owned(text.to_owned())))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Scalar<'de>, E> {
                Ok(Scalar::Whole(number))
            }

            fn visit_i64<E>(self, _: i64) -> Result<Scalar<'de>, E> {
                Ok(Scalar::Other)
            }

            /// `5.0` is the integer 5, as JSON and JSON Schema see it: some languages write it so.
            fn visit_f64<E>(self, number: f64) -> Result<Scalar<'de>, E> {
                Ok(match number {
                    ..0.0 => Scalar::Other,
                    _ if number.fract() == 0.0 => Scalar::Whole(number as u64),
                    _ => Scalar::Fraction(number),
                })
            }

            fn visit_bool<E>(self, _: bool) -> Result<Scalar<'de>, E> {
                Ok(Scalar::Other)
            }

            fn visit_unit<E>(self) -> Result<Scalar<'de>, E> {
                Ok(Scalar::Other)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Scalar<'de>, A::Error> {
                IgnoredAny.visit_seq(items).map(|_| Scalar::Other)
            }

            fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Scalar<'de>, A::Error> {
                IgnoredAny.visit_map(entries).map(|_| Scalar::Other)
            }
        }
        deserializer.deserialize_any(AnyValue)
    }
}

/// A string of at most `MAX` characters.
pub struct Text<const MAX: usize>(pub String);

impl<'de, const MAX: usize> Deserialize<'de> for Text<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Scalar::deserialize(deserializer)? {
            Scalar::Text(text) if text.chars().count() <= MAX => Ok(Text(text.into_owned())),
            _ => Err(D::Error::custom(format_args!("must be a string of at most {MAX} characters"))),
        }
    }
}

/// A string of 1 to `MAX` characters.
pub struct Label<const MAX: usize>(pub String);

impl<'de, const MAX: usize> Deserialize<'de> for Label<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Scalar::deserialize(deserializer)? {
            Scalar::Text(text) if (1..=MAX).contains(&text.chars().count()) => Ok(Label(text.into_owned())),
            _ => Err(D::Error::custom(format_args!("must be a string of 1 to {MAX} characters"))),
        }
    }
}

/// A string in a form of its own; the form's error says what that is.
pub struct Parsed<T>(pub T);

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for Parsed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = match Scalar::deserialize(deserializer)? {
            Scalar::Text(text) => text,
            // No form that is read here takes the empty string.
            _ => Cow::Borrowed(""),
        };
        text.parse().map(Parsed).map_err(D::Error::custom)
    }
}

/// What an event is called.
pub struct EventName(pub String);

/// Text that is no event's name.
#[derive(Debug, thiserror::Error)]
#[error("must be 1 to {MAX_NAME} characters of a-z, 0-9 and _")]
pub struct InvalidName;

impl FromStr for EventName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let named = (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(legal);
        if named { Ok(EventName(text.to_owned())) } else { Err(InvalidName) }
    }
}

/// An IP address.
pub struct Address(pub std::net::IpAddr);

/// Text that is no IP address.
#[derive(Debug, thiserror::Error)]
#[error("must be an IPv4 or IPv6 address")]
pub struct InvalidAddress;

impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        text.parse().map(Address).map_err(|_| InvalidAddress)
    }
}

/// An integer from 0 to `MAX`. A fraction is rounded: browsers measure in fractions of milliseconds and pixels.
pub struct Whole<T, const MAX: u64>(pub T);

impl<'de, T: TryFrom<u64>, const MAX: u64> Deserialize<'de> for Whole<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = match Scalar::deserialize(deserializer)? {
            Scalar::Whole(number) => Some(number),
            Scalar::Fraction(number) if number <= MAX as f64 => Some(number.round() as u64),
            _ => None,
        };
        let whole = number.filter(|number| *number <= MAX).and_then(|number| T::try_from(number).ok());
        let refused = || D::Error::custom(format_args!("must be an integer from 0 to {MAX}"));
        whole.map(Whole).ok_or_else(refused)
    }
}

/// Yes or no, as 1 or 0.
pub struct Flag(pub u8);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Scalar::deserialize(deserializer)? {
            Scalar::Whole(0) => Ok(Flag(0)),
            Scalar::Whole(1) => Ok(Flag(1)),
            _ => Err(D::Error::custom("must be 0 or 1")),
        }
    }
}

/// Unix milliseconds.
pub type Instant = Whole<i64, { Millis::MAX.0 as u64 }>;

/// A JSON object. A derived reader alone would take an array for one, too.
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(entries)).map(Object)
            }
        }
        deserializer.deserialize_map(Entries(PhantomData))
    }
}

/// An array of at most `MAX` items.
pub struct List<T, const MAX: usize>(pub Vec<T>);

impl<T, const MAX: usize> Default for List<T, MAX> {
    fn default() -> Self {
        List(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for List<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items<T, const MAX: usize>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>, const MAX: usize> Visitor<'de> for Items<T, MAX> {
            type Value = List<T, MAX>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "an array of at most {MAX} items")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<List<T, MAX>, A::Error> {
                let mut list = Vec::new();
                while list.len() < MAX {
                    match items.next_element()? {
                        Some(item) => list.push(item),
                        None => return Ok(List(list)),
                    }
                }
                match items.next_element::<IgnoredAny>()? {
                    None => Ok(List(list)),
                    Some(_) => Err(A::Error::custom(format_args!("must be an array of at most {MAX} items"))),
                }
            }
        }
        deserializer.deserialize_seq(Items(PhantomData))
    }
}

/// An event's data: a JSON object, kept as it was written.
pub struct Data {
    /// The object's text.
    pub text: Box<RawValue>,
    /// The page that it names.
    pub url: Option<String>,
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Box::<RawValue>::deserialize(deserializer)?;
        if text.get().len() > MAX_DATA {
            return Err(D::Error::custom(format_args!("must be at most {MAX_DATA} bytes of JSON")));
        }
        // Read in full, so that whoever is given it later can: no number beyond a double, no nesting that
        // overflows a stack.
        let Value::Object(mut object) = serde_json::from_str(text.get()).map_err(D::Error::custom)? else {
            return Err(D::Error::custom("must be a JSON object"));
        };
        let url = match object.remove("url") {
            Some(Value::String(url)) if url.chars().count() <= MAX_URL => Some(url),
            _ => None,
        };
        Ok(Data { text, url })
    }
}
