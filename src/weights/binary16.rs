//! Floats of 16 bits: a sign, 5 bits of exponent, 10 of significand.
//!
//! # Source
//! IEEE 754-2019, binary16, and its rounding to nearest, ties to even.

/// How many bits more an f32's significand has.
const DROPPED: u32 = 13;

/// What the exponents' biases, 127 and 15, differ by.
const REBIAS: u32 = 112;

const INFINITY: u16 = 0x7c00;

/// The least magnitude that is too large: half way from the largest finite
/// number, 65504, to the next that there would be.
pub(super) const LIMIT: f32 = 65_520.0;

/// The nearest binary16; infinity from ±[`LIMIT`] on.
pub(super) fn from_f32(value: f32) -> u16 {
    let sign = (value.to_bits() >> 16) as u16 & 0x8000;
    let bits = value.to_bits() & 0x7fff_ffff;
    if value.is_nan() {
        return sign | 0x7e00;
    }
    if value.abs() >= LIMIT {
        return sign | INFINITY;
    }
    let exponent = bits >> 23;
    let magnitude = if exponent > REBIAS {
        // A carry out of the significand goes into the exponent, as it should.
        rounded(bits - (REBIAS << 23), DROPPED)
    } else {
        // Subnormal: multiples of 2⁻²⁴, whose digits lie further down. With an
        // exponent so low that all are dropped, 25 places leave nothing.
        let significand = (bits & 0x7f_ffff) | 0x80_0000;
        rounded(significand, (DROPPED + 1 + REBIAS - exponent).min(25))
    };
    sign | magnitude as u16
}

/// `bits` without its last `places`, to nearest, ties to even.
fn rounded(bits: u32, places: u32) -> u32 {
    let kept = bits >> places;
    let rest = bits & ((1 << places) - 1);
    let half = 1 << (places - 1);
    kept + u32::from(rest > half || (rest == half && kept % 2 == 1))
}

/// The same number; every binary16 is an f32.
pub(super) fn to_f32(half: u16) -> f32 {
    let sign = u32::from(half & 0x8000) << 16;
    let bits = u32::from(half & 0x7fff);
    let magnitude = match bits >> 10 {
        // Subnormal, or 0: a multiple of 2⁻²⁴.
        0 => (bits as f32 * f32::from_bits((127 - 24) << 23)).to_bits(),
        // Infinity or NaN.
        31 => 0x7f80_0000 | (bits << DROPPED),
        _ => (bits << DROPPED) + (REBIAS << 23),
    };
    f32::from_bits(sign | magnitude)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The value by the standard's formula, in f64.
    fn oracle(half: u16) -> f64 {
        let sign = if half >> 15 == 0 { 1.0 } else { -1.0 };
        let exponent = i32::from((half >> 10) & 31);
        let fraction = f64::from(half & 0x3ff) / 1024.0;
        sign * match exponent {
            0 => fraction * 2_f64.powi(-14),
            31 if fraction == 0.0 => f64::INFINITY,
            31 => f64::NAN,
            _ => (1.0 + fraction) * 2_f64.powi(exponent - 15),
        }
    }

    #[test]
    fn all_65536_patterns_have_the_value_of_the_standard_and_come_back() {
        for half in 0..=u16::MAX {
            let (value, expected) = (to_f32(half), oracle(half));
            if expected.is_nan() {
                assert!(value.is_nan() && to_f32(from_f32(value)).is_nan(), "{half:#06x}");
                continue;
            }
            assert_eq!(f64::from(value), expected, "{half:#06x}");
            assert_eq!(value.is_sign_negative(), half >> 15 == 1, "{half:#06x}");
            assert_eq!(from_f32(value), half, "{half:#06x}");
        }
    }

    #[test]
    fn between_two_patterns_the_nearer_is_taken_and_of_equals_the_even() {
        for low in 0..INFINITY {
            let high = low + 1;
            // The largest finite number and 65536, where infinity stands.
            let upper = if high == INFINITY { 65_536.0 } else { to_f32(high) };
            let middle = f32::midpoint(to_f32(low), upper);
            let even = if low % 2 == 0 { low } else { high };
            for sign in [0, 0x8000] {
                let from = |value: f32| from_f32(f32::from_bits(value.to_bits() | sign << 16));
                assert_eq!(from(middle), even | sign as u16, "{low:#06x}");
                assert_eq!(from(middle.next_down()), low | sign as u16, "{low:#06x}");
                assert_eq!(from(middle.next_up()), high | sign as u16, "{low:#06x}");
            }
        }
    }

    #[test]
    fn the_ends_of_the_range() {
        assert_eq!(from_f32(LIMIT), INFINITY);
        assert_eq!(from_f32(LIMIT.next_down()), INFINITY - 1);
        assert_eq!([f32::INFINITY, f32::MAX].map(from_f32), [INFINITY; 2]);
        assert_eq!([f32::MIN_POSITIVE, f32::from_bits(1), 0.0].map(from_f32), [0; 3]);
        assert_eq!(from_f32(-0.0), 0x8000);
    }
}
