//! The exponential function and its kin, with the same bits everywhere.
//!
//! The standard library leaves these functions to the platform, whose results
//! differ in the last bits. These use additions, multiplications, divisions and
//! bit patterns alone, which IEEE 754 fixes. They have no branch that a vector
//! could not take, so loops over them become SIMD.

/// e^x, within 2 units in the last place; 0 below −87.3, and e^88.0 above 88.
///
/// # Source
/// Cody, Waite, *Software manual for the elementary functions* (1980): x = n·ln 2
/// + r, and e^x = 2ⁿ·e^r; the polynomial is that of Moshier's Cephes, `expf.c`.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    // ln 2 in two parts, the first with so few bits that n times it is exact.
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    // Added and taken away again, this leaves the nearest whole number.
    const ROUND: f32 = 12_582_912.0;
    let bounded = if x < -87.3 { -87.3 } else { x };
    let bounded = if bounded > 88.0 { 88.0 } else { bounded };
    let rounded = bounded * std::f32::consts::LOG2_E + ROUND;
    let n = rounded - ROUND;
    let r = bounded - n * LN2_HIGH - n * LN2_LOW;
    let mut p = 1.987_569_2e-4;
    p = p * r + 1.398_199_9e-3;
    p = p * r + 8.333_452e-3;
    p = p * r + 4.166_579_6e-2;
    p = p * r + 0.166_666_66;
    p = p * r + 0.5;
    let power = p * r * r + r + 1.0;
    // 2ⁿ by its exponent bits: n, within −126..=127, is how far the bits of
    // `rounded` are from those of `ROUND`. NaN goes through `power`.
    let exponent = rounded.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127);
    let scale = f32::from_bits(exponent << 23);
    if x < -87.3 { 0.0 } else { power * scale }
}

/// ln x for a finite x above 0, within 4 units in the last place of an f32.
///
/// # Source
/// ln m = 2·artanh((m − 1) / (m + 1)); Abramowitz, Stegun, *Handbook of
/// Mathematical Functions* (1964), 4.1.27.
#[inline(always)]
pub(crate) fn ln(x: f64) -> f64 {
    let bits = x.to_bits();
    let exponent = ((bits >> 52) & 0x7ff) as i32 - 1023;
    // The significand, 1 to 2; around 1 rather than up to 2, the series is short.
    let m = f64::from_bits((bits & ((1 << 52) - 1)) | (1023 << 52));
    let (m, exponent) =
        if m > std::f64::consts::SQRT_2 { (m / 2.0, exponent + 1) } else { (m, exponent) };
    let s = (m - 1.0) / (m + 1.0);
    let s2 = s * s;
    let mut series = 0.0;
    for k in (0..10).rev() {
        series = series * s2 + 1.0 / f64::from(2 * k + 1);
    }
    2.0 * s * series + f64::from(exponent) * std::f64::consts::LN_2
}

/// The logistic function, 1 / (1 + e⁻ˣ).
#[inline(always)]
pub(crate) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// The hyperbolic tangent, within 2 units in the last place.
///
/// # Source
/// The polynomial for small arguments is that of Moshier's Cephes, `tanhf.c`.
#[inline(always)]
pub(crate) fn tanh(x: f32) -> f32 {
    let magnitude = x.abs();
    let large = 1.0 - 2.0 / (exp(2.0 * magnitude) + 1.0);
    let s = x * x;
    let mut p = -5.704_988_7e-3;
    p = p * s + 2.063_909e-2;
    p = p * s - 5.373_971_5e-2;
    p = p * s + 0.133_314_42;
    p = p * s - 0.333_332_8;
    let small = p * s * x + x;
    if magnitude < 0.625 { small } else { large.copysign(x) }
}

/// Sine and cosine of an angle of at most π/4 either way, in radians, each
/// within 2 units in the last place.
///
/// # Source
/// The polynomials are those of Moshier's Cephes, `sinf.c`.
pub(crate) fn sin_cos(x: f32) -> (f32, f32) {
    let s = x * x;
    let mut p = -1.951_529_6e-4;
    p = p * s + 8.332_161e-3;
    p = p * s - 0.166_666_55;
    let sin = p * s * x + x;
    let mut p = 2.443_315_7e-5;
    p = p * s - 1.388_731_6e-3;
    p = p * s + 4.166_664_6e-2;
    let cos = p * s * s - 0.5 * s + 1.0;
    (sin, cos)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values over the range, and the standard library in f64 as the oracle.
    fn check(low: f32, high: f32, ours: fn(f32) -> f32, oracle: fn(f64) -> f64, ulps: f64) {
        for step in 0..=200_000 {
            let x = low + (high - low) * (step as f32 / 200_000.0);
            let expected = oracle(f64::from(x));
            let unit =
                f64::from((expected as f32).abs().max(f32::MIN_POSITIVE)) * f64::from(f32::EPSILON);
            let error = (f64::from(ours(x)) - expected).abs() / unit;
            assert!(error <= ulps, "f({x}) = {} for {expected}: {error} units", ours(x));
        }
    }

    #[test]
    fn exp_is_the_exponential() {
        check(-87.0, 88.0, exp, f64::exp, 2.0);
        check(-1.0, 1.0, exp, f64::exp, 2.0);
        assert_eq!([exp(0.0), exp(-1000.0), exp(f32::NEG_INFINITY)], [1.0, 0.0, 0.0]);
        assert!(exp(f32::NAN).is_nan() && exp(f32::INFINITY).is_finite());
    }

    #[test]
    fn tanh_is_the_hyperbolic_tangent() {
        check(-12.0, 12.0, tanh, f64::tanh, 2.0);
        check(-0.7, 0.7, tanh, f64::tanh, 2.0);
        assert_eq!([tanh(100.0), tanh(-100.0), tanh(f32::INFINITY)], [1.0, -1.0, 1.0]);
        assert!(tanh(f32::NAN).is_nan());
    }

    #[test]
    fn sigmoid_is_the_logistic_function() {
        check(-80.0, 80.0, sigmoid, |x| 1.0 / (1.0 + (-x).exp()), 3.0);
        assert_eq!([sigmoid(0.0), sigmoid(200.0)], [0.5, 1.0]);
        assert!(sigmoid(f32::NAN).is_nan());
    }

    #[test]
    fn sin_cos_are_sine_and_cosine() {
        use std::f32::consts::FRAC_PI_4;
        check(-FRAC_PI_4, FRAC_PI_4, |x| sin_cos(x).0, f64::sin, 2.0);
        check(-FRAC_PI_4, FRAC_PI_4, |x| sin_cos(x).1, f64::cos, 2.0);
        assert_eq!(sin_cos(0.0), (0.0, 1.0));
    }

    #[test]
    fn ln_is_the_natural_logarithm() {
        for step in 1..=100_000 {
            let x = f64::from(step) * 0.001;
            assert!((ln(x) - x.ln()).abs() <= 1e-12 * x.ln().abs().max(1.0), "{x}");
        }
        for x in [f64::MIN_POSITIVE, 1e-30, 1e30, f64::MAX] {
            assert!((ln(x) - x.ln()).abs() <= 1e-12 * x.ln().abs(), "{x}");
        }
    }
}
