//! A shape's fields as the command line writes them, read with errors that name the field.

use crate::ShapeError;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The largest side of a tensor.
const LARGEST: u64 = i32::MAX as u64;

/// The fields of one shape of the operation `op`.
pub(crate) struct Reader<'a> {
    op: &'static str,
    fields: &'a BTreeMap<String, String>,
}

impl<'a> Reader<'a> {
    /// Checks that no field is unknown.
    pub(crate) fn new(
        op: &'static str,
        fields: &'a BTreeMap<String, String>,
        known: &[&str],
    ) -> Result<Self, ShapeError> {
        match fields.keys().find(|name| !known.contains(&name.as_str())) {
            Some(unknown) => Err(ShapeError(format!("{op} has no field `{unknown}`; it has {}", known.join(", ")))),
            None => Ok(Self { op, fields }),
        }
    }

    /// A number of at least 1.
    pub(crate) fn side(&self, name: &str) -> Result<u32, ShapeError> {
        self.number(name, self.text(name)?, 1)
    }

    /// A number of at least 1, or `default` where the field is missing.
    pub(crate) fn side_or(&self, name: &str, default: u32) -> Result<u32, ShapeError> {
        self.fields.get(name).map_or(Ok(default), |text| self.number(name, text, 1))
    }

    /// Two numbers of at least `least`, written `2x1`, or `2` for both; `[default; 2]` where the field is missing.
    pub(crate) fn pair_or(&self, name: &str, default: u32, least: u64) -> Result<[u32; 2], ShapeError> {
        let Some(text) = self.fields.get(name) else { return Ok([default; 2]) };
        let (first, second) = text.split_once('x').unwrap_or((text, text));
        Ok([self.number(name, first, least)?, self.number(name, second, least)?])
    }

    /// One of some words, the first of them where the field is missing.
    pub(crate) fn word(&self, name: &str, words: &[&'static str]) -> Result<&'static str, ShapeError> {
        let Some(text) = self.fields.get(name) else { return Ok(words[0]) };
        words
            .iter()
            .find(|word| *word == text)
            .copied()
            .ok_or_else(|| ShapeError(format!("{}'s {name} of `{text}` is none of {}", self.op, words.join(", "))))
    }

    /// A multiple of `unit` from `unit` to `most`.
    pub(crate) fn multiple(&self, name: &str, unit: u64, most: u64) -> Result<u64, ShapeError> {
        let text = self.text(name)?;
        let op = self.op;
        let value: u64 = text
            .parse()
            .map_err(|_| ShapeError(format!("{op}'s {name} of `{text}` is not a whole number below 2^64")))?;
        if value == 0 || !value.is_multiple_of(unit) {
            return Err(ShapeError(format!("{op}'s {name} of {value} is no multiple of {unit}")));
        }
        if value > most {
            return Err(ShapeError(format!("{op}'s {name} of {value} is above the largest, {most}")));
        }
        Ok(value)
    }

    fn text(&self, name: &str) -> Result<&str, ShapeError> {
        let text = self.fields.get(name).ok_or_else(|| ShapeError(format!("{} needs {name}=NUMBER", self.op)))?;
        Ok(text)
    }

    fn number(&self, name: &str, text: &str, least: u64) -> Result<u32, ShapeError> {
        let op = self.op;
        match text.parse::<u64>() {
            Ok(value) if value < least => {
                Err(ShapeError(format!("{op}'s {name} is {value}; it must be at least {least}")))
            }
            Ok(value) if value <= LARGEST => Ok(value as u32),
            Err(_) if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) => {
                Err(ShapeError(format!("{op}'s {name} of `{text}` is not a whole number")))
            }
            _ => Err(ShapeError(format!("{op}'s {name} of {text} is above the largest, {LARGEST}"))),
        }
    }
}

/// Checks that a tensor's bytes stay below 2⁶³.
pub(crate) fn check_bytes(op: &str, name: &str, sides: &[u32], element_bytes: u64) -> Result<(), ShapeError> {
    let bytes = sides.iter().try_fold(u128::from(element_bytes), |bytes, &side| bytes.checked_mul(side.into()));
    if bytes.is_none_or(|bytes| bytes > i64::MAX as u128) {
        let sides: Vec<String> = sides.iter().map(u32::to_string).collect();
        return Err(ShapeError(format!("{op}'s {name} of {} overflows 2^63 bytes", sides.join(" × "))));
    }
    Ok(())
}

/// Fields from names and values.
pub(crate) fn named<const N: usize>(pairs: [(&str, impl Into<String>); N]) -> BTreeMap<String, String> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
}

/// The members of a JSON object, as `json!({…})` writes it; none of any other value.
pub(crate) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}
