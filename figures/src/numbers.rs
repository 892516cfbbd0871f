//! Rounding, defined once: half up, on exact integers.

/// How many parts of a unit sums of fractions are kept in, so that adding them is exact and has no order.
pub const MICROS: i64 = 1_000_000;

/// `numerator / denominator`, rounded half up to one decimal; 0 when there is nothing to divide by.
pub fn ratio(numerator: i64, denominator: i64) -> f64 {
    tenths(i128::from(numerator), i128::from(denominator))
}

/// `part / whole` in percent, rounded half up to one decimal; 0 when there is no whole.
pub fn percent(part: impl Into<i128>, whole: impl Into<i128>) -> f64 {
    tenths(part.into() * 100, whole.into())
}

/// `sum / count` in whole units, rounded half up; 0 when nothing was counted.
pub fn mean(sum: i64, count: i64) -> i64 {
    rounded(i128::from(sum), i128::from(count)) as i64
}

/// The mean of a sum in millionths, in whole units, rounded half up; 0 when nothing was counted.
pub fn mean_of_micros(micros: i128, count: i64) -> i64 {
    rounded(micros, i128::from(count) * i128::from(MICROS)) as i64
}

/// The mean of a sum in millionths, rounded half up to one decimal; 0 when nothing was counted.
pub fn ratio_of_micros(micros: i128, count: i64) -> f64 {
    tenths(micros, i128::from(count) * i128::from(MICROS))
}

fn tenths(numerator: i128, denominator: i128) -> f64 {
    rounded(numerator * 10, denominator) as f64 / 10.0
}

/// ⌊n/d + 1/2⌋; 0 unless d > 0.
fn rounded(numerator: i128, denominator: i128) -> i128 {
    if denominator > 0 { (2 * numerator + denominator).div_euclid(2 * denominator) } else { 0 }
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
        assert_eq!(percent(1, 0), 0.0);
        assert_eq!(mean(3, 2), 2);
        assert_eq!(mean(0, 0), 0);
    }

    #[test]
    fn sums_of_fractions_are_rounded_once() {
        assert_eq!(mean_of_micros(2_999_998, 2), 1);
        assert_eq!(mean_of_micros(3_000_000, 2), 2);
        assert_eq!(mean_of_micros(3_000_000, 0), 0);
        assert_eq!(ratio_of_micros(249_999, 1), 0.2);
        assert_eq!(ratio_of_micros(250_000, 1), 0.3);
        assert_eq!(ratio_of_micros(1, 0), 0.0);
    }
}
