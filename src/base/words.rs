//! Figures as people read them.

/// `45,312`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `812 B`, `14 KiB`, `3.1 MiB`.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1_024 => format!("{bytes} B"),
        1_024..1_048_576 => format!("{} KiB", bytes / 1_024),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_told_apart() {
        assert_eq!([0, 12, 999, 1_000, 8_143, 1_000_000].map(grouped), ["0", "12", "999", "1,000", "8,143", "1,000,000"]);
    }

    #[test]
    fn sizes_have_the_unit_that_is_short() {
        assert_eq!([812, 1_024, 14 << 10, 3_250_586].map(size), ["812 B", "1 KiB", "14 KiB", "3.1 MiB"]);
    }
}
