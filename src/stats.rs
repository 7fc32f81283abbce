//! Shares of the person's own numbers, with how sure one can be of them. Pure; it must not know what is counted.

use serde::Serialize;

/// Two-sided 95 % quantile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// So many of so many.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Share {
    /// How many it is true of; at most `of`.
    pub n: u32,
    /// Of how many.
    pub of: u32,
    /// Between which shares the true one lies, with 95 % confidence, 0 to 1; `None` for none at all.
    pub interval: Option<(f64, f64)>,
}

impl Share {
    /// The share with its interval by Wilson's score method (Wilson 1927; recommended for small numbers by Brown, Cai
    /// and DasGupta 2001).
    pub fn new(n: u32, of: u32) -> Share {
        let n = n.min(of);
        let interval = (of > 0).then(|| {
            let (k, m) = (f64::from(n), f64::from(of));
            let share = k / m;
            let z2 = Z * Z;
            let middle = (share + z2 / (2.0 * m)) / (1.0 + z2 / m);
            let half = Z / (1.0 + z2 / m) * (share * (1.0 - share) / m + z2 / (4.0 * m * m)).sqrt();
            ((middle - half).max(0.0), (middle + half).min(1.0))
        });
        Share { n, of, interval }
    }

    /// The interval in whole parts of a hundred.
    pub fn in_a_hundred(&self) -> Option<(u8, u8)> {
        // From 0.0 to 1.0 by construction.
        let whole = |share: f64| (share * 100.0).round() as u8;
        self.interval.map(|(low, high)| (whole(low), whole(high)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of R's `binom.confint(k, n, method = "wilson")`.
    #[test]
    fn intervals_are_wilsons() {
        for (n, of, low, high) in
            [(3, 12, 0.0889, 0.5323), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (1, 2, 0.0945, 0.9055)]
        {
            let (is_low, is_high) = Share::new(n, of).interval.unwrap();
            assert!((is_low - low).abs() < 1e-4 && (is_high - high).abs() < 1e-4, "{n} of {of}: {is_low} {is_high}");
        }
        assert_eq!(Share::new(3, 12).in_a_hundred(), Some((9, 53)));
        assert_eq!(Share::new(0, 0).interval, None);
    }
}
