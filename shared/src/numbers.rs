//! Rounding, defined once: half up, on exact integers.

/// `numerator / denominator`, rounded half up to one decimal; 0 when there is nothing to divide by.
pub fn ratio(numerator: i64, denominator: i64) -> f64 {
    if denominator == 0 {
        return 0.0;
    }
    rounded(i128::from(numerator) * 10, i128::from(denominator)) as f64 / 10.0
}

/// `part / whole` in percent, rounded half up to one decimal; 0 when there is no whole.
pub fn percent(part: i64, whole: i64) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    rounded(i128::from(part) * 1000, i128::from(whole)) as f64 / 10.0
}

/// `sum / count` in whole units, rounded half up; 0 when nothing was counted.
pub fn mean(sum: i64, count: i64) -> i64 {
    if count == 0 { 0 } else { rounded(i128::from(sum), i128::from(count)) as i64 }
}

/// ⌊n/d + 1/2⌋ for d > 0.
fn rounded(numerator: i128, denominator: i128) -> i128 {
    (2 * numerator + denominator).div_euclid(2 * denominator)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_go_up_and_nothing_is_zero() {
        assert_eq!(ratio(1, 4), 0.3);
        assert_eq!(ratio(1, 20), 0.1);
        assert_eq!(ratio(5, 0), 0.0);
        assert_eq!(percent(1, 3), 33.3);
        assert_eq!(percent(2, 3), 66.7);
        assert_eq!(percent(1, 2000), 0.1);
        assert_eq!(mean(3, 2), 2);
        assert_eq!(mean(0, 0), 0);
    }
}
