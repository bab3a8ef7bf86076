//! What every meter does alike: refuse impossible figures, and write addresses and ids as devices do.

use super::MeterError;

/// No single device and no node draws more, in watts: what is above is an error code taken for a number.
const MOST_W: f64 = 1e6;

/// A meter's relative error and where it is known from.
pub(super) fn accuracy(stated: Option<(f64, &str)>) -> (f64, String) {
    let (error, source) = stated.unwrap_or((0.05, "none is stated: 5% is assumed"));
    (error, source.to_owned())
}

/// Power that can be: nothing that is on draws 0 W, so 0 is what a meter shows that does not measure.
pub(super) fn watts(what: &str, value: f64) -> Result<f64, MeterError> {
    if value > 0.0 && value < MOST_W {
        return Ok(value);
    }
    Err(MeterError::Garbage { what: what.to_owned(), problem: format!("{value} W can't be") })
}

/// A counter's value that can be.
pub(super) fn joules(what: &str, value: f64) -> Result<f64, MeterError> {
    if value >= 0.0 && value.is_finite() {
        return Ok(value);
    }
    Err(MeterError::Garbage { what: what.to_owned(), problem: format!("{value} J can't be") })
}

/// A PCI address as devices write theirs, `dddd:bb:dd.f`; tools write the domain in 1 to 8 digits or leave it out, and
/// some leave out the function.
pub(super) fn pci_address(text: &str) -> Option<String> {
    let hex = |digits: &str| u32::from_str_radix(digits, 16).ok();
    let (place, function) = text.trim().split_once('.').unwrap_or((text.trim(), "0"));
    let parts: Vec<_> = place.split(':').map(hex).collect::<Option<_>>()?;
    let (domain, bus, device) = match parts[..] {
        [domain, bus, device] => (domain, bus, device),
        [bus, device] => (0, bus, device),
        _ => return None,
    };
    Some(format!("{domain:04x}:{bus:02x}:{device:02x}.{:x}", hex(function)?))
}

/// A UUID as devices write theirs: lower-case, without the word that some tools put in front.
pub(super) fn uuid(text: &str) -> Option<String> {
    let text = text.trim().to_ascii_lowercase();
    let id = text.strip_prefix("gpu-").unwrap_or(&text);
    let digits = id.bytes().filter(u8::is_ascii_hexdigit).count();
    (digits == 32 && id.len() == 36).then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_figures_are_refused() {
        for value in [0.0, -1.0, f64::NAN, f64::INFINITY, f64::from(u32::MAX)] {
            assert!(watts("it", value).is_err(), "{value} W");
        }
        assert_eq!(watts("it", 700.0), Ok(700.0));
        for value in [-1.0, f64::NAN, f64::INFINITY] {
            assert!(joules("it", value).is_err(), "{value} J");
        }
        assert_eq!(joules("it", 0.0), Ok(0.0));
    }

    #[test]
    fn addresses_are_written_in_one_way() {
        for (text, address) in [
            ("0000:C1:00.0", Some("0000:c1:00.0")),
            ("00000000:1c:00.0", Some("0000:1c:00.0")),
            ("0:2d:00.0", Some("0000:2d:00.0")),
            ("3b:00.1", Some("0000:3b:00.1")),
            ("10000:01:00.0", Some("10000:01:00.0")),
            ("0000:3b:00", Some("0000:3b:00.0")),
            ("N/A", None),
            ("", None),
        ] {
            assert_eq!(pci_address(text).as_deref(), address, "{text}");
        }
    }

    #[test]
    fn ids_are_written_in_one_way() {
        let id = "75401a56-2224-5257-8e2c-8f6dac7c37bc";
        assert_eq!(uuid(&format!("GPU-{}", id.to_uppercase())).as_deref(), Some(id));
        assert_eq!(uuid(id).as_deref(), Some(id));
        assert_eq!(uuid("01P4-HL2080A0-15-TNPS34"), None);
    }
}
