//! How near subjects come to what they can attain.

use super::{Report, standing};
use crate::inert::Text;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// The shares of the attainable rate that a subject's best rows reach, in one operation and type.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Share {
    /// An index of [`Report::subjects`].
    pub subject: usize,
    /// The operation.
    pub op: Text,
    /// The numeric types.
    pub dtype: Text,
    /// The least share of a case.
    pub low: f64,
    /// The median of the cases.
    pub median: f64,
    /// The greatest share.
    pub high: f64,
    /// The row that reaches it: an index of [`Report::rows`].
    pub best: usize,
    /// Over how many cases.
    pub cases: usize,
}

pub(super) fn of(report: &Report) -> Vec<Share> {
    let mut groups: BTreeMap<(Text, Text, usize), Vec<(f64, usize)>> = BTreeMap::new();
    for case in &report.cases {
        for cell in &case.cells {
            let share = |&row: &usize| Some((report.row(row).measured.as_ref()?.ceiling.as_ref()?.fraction, row));
            let best = cell.measured.iter().filter_map(share).max_by(|one, other| one.0.total_cmp(&other.0));
            if let Some(best) = best {
                groups.entry((case.op.clone(), case.dtype.clone(), cell.subject)).or_default().push(best);
            }
        }
    }
    let share = |((op, dtype, subject), mut shares): ((Text, Text, usize), Vec<(f64, usize)>)| {
        shares.sort_by(|one, other| one.0.total_cmp(&other.0));
        let (low, (high, best)) = (shares[0].0, shares[shares.len() - 1]);
        let middle = [shares[(shares.len() - 1) / 2].0, shares[shares.len() / 2].0];
        let median = f64::midpoint(middle[0], middle[1]);
        Share { subject, op, dtype, low, median, high, best, cases: shares.len() }
    };
    let mut shares: Vec<_> = groups.into_iter().map(share).collect();
    shares.sort_by_key(|share| (standing::place(&share.op, &share.dtype), share.subject));
    shares
}
