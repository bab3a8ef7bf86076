//! Wrong outputs: `wrong`, whichever way they are verified.

use super::{run, struck};
use accelbench_reports::Status;
use accelbench_tests::faulty::Fault;

/// Faults strike the second, which is verified by elements, and the third, which is verified by projection.
const SIDES: [u32; 4] = [64, 48, 420, 65];

/// `places` are what the reasons must say of the two.
fn wrong(fault: Fault, dtype: &str, places: [&str; 2]) {
    let (ran, rows) = run(fault, dtype, &SIDES, &[]);
    assert_eq!(ran.code, Some(6), "{ran:?}");
    struck(&rows, &[1, 2], Status::Wrong, &["(error ", ", bound "]);
    for (row, (method, place)) in rows[1..].iter().zip([("elementwise", places[0]), ("sampled+freivalds", places[1])]) {
        assert_eq!(row.verify.as_ref().map(|verify| verify.method.as_str()), Some(method));
        let reason = row.reason.as_deref().unwrap_or_default();
        assert!(reason.contains(place), "{place} in {reason}");
        assert!(ran.stdout.contains(reason), "{reason} in {}", ran.stdout);
    }
}

#[test]
fn a_wrong_element_in_the_last_tile() {
    wrong(Fault::WrongElement, "f32", ["row 46, column 46: ", "row 418: projected to "]);
}

#[test]
fn a_row_that_was_not_written() {
    wrong(Fault::UnwrittenRow, "f32", ["row 24, column 0: NaN instead of ", "row 210"]);
}

#[test]
fn a_row_of_doubles_that_was_not_written() {
    wrong(Fault::UnwrittenRow, "f64", ["row 24, column 0: NaN instead of ", "row 210"]);
}

#[test]
fn a_transposed_result() {
    wrong(Fault::Transposed, "f32", ["row ", "row "]);
}

#[test]
fn sums_in_half_where_single_is_promised() {
    wrong(Fault::HalfSums, "f16", ["row ", "row "]);
}

#[test]
fn launches_that_were_dropped() {
    wrong(Fault::Stale, "f32", ["row 0, column 0: NaN instead of ", "NaN instead of "]);
}

#[test]
fn a_driver_that_prints_to_both_streams_spoils_nothing() {
    let (ran, rows) = run(Fault::Noisy, "f32", &SIDES, &[]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    struck(&rows, &[], Status::Ok, &[]);
}
