//! Figures as people read them.

use crate::ir::{Differs, MetricKind, Reads};

/// `97.7%`, `12us`, `6.2MiB`, `0.406`.
pub fn value(kind: MetricKind, value: f64) -> String {
    match kind.facts().reads {
        Reads::Percent => format!("{:.1}%", value * 100.0),
        Reads::Seconds => seconds(value),
        Reads::Bytes => bytes(value),
        Reads::Number => digits(value),
    }
}

/// A difference of two figures: points for shares, `0.42 points`.
pub fn difference(kind: MetricKind, value: f64) -> String {
    match kind.facts().reads {
        Reads::Percent => format!("{} points", digits(value * 100.0)),
        Reads::Seconds | Reads::Bytes | Reads::Number => self::value(kind, value),
    }
}

/// The standard error behind a figure, in the figure's unit and without it: `±0.4`.
pub fn plus_minus(kind: MetricKind, error: f64) -> String {
    match kind.facts().reads {
        Reads::Percent => format!("±{:.1}", error * 100.0),
        Reads::Seconds | Reads::Bytes | Reads::Number => format!("±{}", digits(error)),
    }
}

/// Points for shares, else relative to the bound.
pub fn miss(kind: MetricKind, value: f64, bound: f64) -> String {
    match (kind.facts().differs, bound) {
        (Differs::Points, _) => format!("{} points", digits((value - bound).abs() * 100.0)),
        (Differs::Relative, 0.0) => self::value(kind, value.abs()),
        (Differs::Relative, bound) => format!("{}%", digits((value - bound).abs() / bound.abs() * 100.0)),
    }
}

fn seconds(value: f64) -> String {
    match value {
        value if value < 1e-3 => format!("{}us", digits(value * 1e6)),
        value if value < 1.0 => format!("{}ms", digits(value * 1e3)),
        value => format!("{}s", digits(value)),
    }
}

fn bytes(value: f64) -> String {
    match value {
        value if value < 1024.0 => format!("{value:.0}B"),
        value if value < 1024.0 * 1024.0 => format!("{}KiB", digits(value / 1024.0)),
        value => format!("{}MiB", digits(value / 1024.0 / 1024.0)),
    }
}

/// Three significant digits, more where they stand before the point.
pub fn digits(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 || size == 0.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        size if size >= 0.001 => format!("{value:.3}"),
        _ => format!("{value:.2e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_well() {
        assert_eq!(value(MetricKind::Accuracy, 0.97713), "97.7%");
        assert_eq!(value(MetricKind::LatencyP99, 0.000_012_34), "12.3us");
        assert_eq!(value(MetricKind::Memory, 6_500_000.0), "6.20MiB");
        assert_eq!(value(MetricKind::Mae, 0.406_4), "0.406");
        assert_eq!(miss(MetricKind::Recall, 0.93, 0.95), "2.00 points");
        assert_eq!(miss(MetricKind::Memory, 3.0, 2.0), "50.0%");
        assert_eq!(
            (difference(MetricKind::F1, 0.0042), difference(MetricKind::Mae, 0.12)),
            ("0.420 points".into(), "0.120".into())
        );
        assert_eq!(
            (plus_minus(MetricKind::Recall, 0.0042), plus_minus(MetricKind::LogLoss, 0.0123)),
            ("±0.4".into(), "±0.012".into())
        );
    }
}
