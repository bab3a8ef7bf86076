//! How results change over time, as a page: what a history found, drawn. The figures are the history's; nothing is
//! computed here.

mod chart;
mod metric;
mod page;
#[cfg(test)]
mod tests;

pub use metric::Metric;

/// Series that a page shows at most. There are as many charts.
pub const SERIES: usize = 200;

/// What a page shows.
#[derive(Clone, Debug)]
pub struct Trends {
    /// What is followed.
    pub metric: Metric,
    /// The series, the ones that matter most first.
    pub series: Vec<Series>,
    /// Series that were found and are not here.
    pub left_out: usize,
}

/// A case on a device with a driver.
#[derive(Clone, Debug)]
pub struct Series {
    /// `op/dtype/shape/variant@device`.
    pub name: String,
    /// The device's name.
    pub device: String,
    /// Its driver.
    pub driver: String,
    /// The median of the values since the last change point.
    pub level: f64,
    /// The results, in time order.
    pub points: Vec<Point>,
    /// The change points, in time order.
    pub changes: Vec<Change>,
    /// A drift since the last sudden change.
    pub drift: Option<Drift>,
    /// The driver of the series that this one goes on from, and this one's median divided by that one's last level.
    pub follows: Option<(String, f64)>,
}

/// A result.
#[derive(Clone, Debug)]
pub struct Point {
    /// When its run started: RFC 3339, UTC.
    pub started: String,
    /// The commit of the program.
    pub commit: Option<String>,
    /// The value; none where the case failed.
    pub value: Option<f64>,
    /// Its 95% interval.
    pub interval: Option<[f64; 2]>,
}

/// A change point.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    /// The index of the first point after it; none where that lies before the points.
    pub at: Option<usize>,
    /// The median of the values between the change point before it and it.
    pub level_before: f64,
    /// The median of the values between it and the next.
    pub level_after: f64,
    /// The p-value.
    pub p: f64,
    /// Whether it is part of a slow change.
    pub gradual: bool,
}

/// A slow change.
#[derive(Clone, Copy, Debug)]
pub struct Drift {
    /// Runs from its start to the last.
    pub runs: usize,
    /// The change over all of them.
    pub ratio: f64,
    /// The p-value.
    pub p: f64,
}

impl Change {
    fn ratio(&self) -> f64 {
        self.level_after / self.level_before
    }
}
