//! Reading and writing the fields of a probe's shape.

use super::Fields;
use crate::ShapeError;

/// Fields from their names and values.
pub(super) fn named<const N: usize>(values: [(&str, String); N]) -> Fields {
    values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Refuses fields that an operation does not have.
pub(super) fn only(operation: &str, fields: &Fields, known: &[&str]) -> Result<(), ShapeError> {
    match fields.keys().find(|name| !known.contains(&name.as_str())) {
        Some(unknown) => Err(ShapeError(format!("{operation} has no field `{unknown}`; it has {}", known.join(", ")))),
        None => Ok(()),
    }
}

/// The field `name`: a multiple of `unit` from `unit` to `most`.
pub(super) fn size(operation: &str, fields: &Fields, name: &str, unit: u64, most: u64) -> Result<u64, ShapeError> {
    let text = fields.get(name).ok_or_else(|| ShapeError(format!("{operation} needs {name}=NUMBER")))?;
    let value: u64 = text
        .parse()
        .map_err(|_| ShapeError(format!("{operation}'s {name} of `{text}` is not a whole number below 2^64")))?;
    if value == 0 || !value.is_multiple_of(unit) {
        return Err(ShapeError(format!("{operation}'s {name} of {value} is no multiple of {unit}")));
    }
    if value > most {
        return Err(ShapeError(format!("{operation}'s {name} of {value} is above the largest, {most}")));
    }
    Ok(value)
}
