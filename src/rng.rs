//! Random numbers whose stream never changes.
//!
//! SplitMix64 in its counter form: the n-th number of a stream is a hash of
//! the stream's key and n alone. It is here, and not a crate, because training
//! belongs to the part of the library that has no dependency but `byteorder`.
//!
//! # Source
//! Steele, Lea, Flood, *Fast splittable pseudorandom number generators*
//! (OOPSLA 2014); the constants are those of Vigna's public-domain
//! `splitmix64.c`.

/// The odd number nearest to 2⁶⁴ / φ, so that the counter visits every state.
const GOLDEN_GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// One stream of random numbers.
#[derive(Debug, Clone)]
pub(crate) struct Rng {
    state: u64,
}

impl Rng {
    /// The stream that belongs to a seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Stream number `stream` of a seed, such as one for each epoch.
    pub(crate) fn with_stream(seed: u64, stream: u64) -> Self {
        let key = Self::new(seed).next_u64() ^ stream;
        Self::new(Self::new(key).next_u64())
    }

    /// The next 64 random bits.
    pub(crate) fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN_GAMMA);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from the even distribution over `-limit..limit`.
    pub(crate) fn uniform(&mut self, limit: f32) -> f32 {
        // 24 bits, as many as an f32 holds exactly.
        let unit = (self.next_u64() >> 40) as f32 * (1.0 / (1u32 << 24) as f32);
        (2.0 * unit - 1.0) * limit
    }

    /// A whole number from 0 to `bound - 1`; the bias is below `bound` / 2⁶⁴.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next_u64()) * bound as u128) >> 64) as usize
    }

    /// Brings `items` into random order (Fisher and Yates; Knuth, *The Art of
    /// Computer Programming* 2, algorithm 3.4.2P).
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stream_is_the_published_one() {
        // The first numbers of splitmix64.c from the seed 1234567, as the
        // Rosetta Code task "Pseudo-random numbers/Splitmix64" lists them.
        let mut rng = Rng::new(1_234_567);
        let expected = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
            4_593_380_528_125_082_431,
            16_408_922_859_458_223_821,
        ];
        assert_eq!(expected.map(|_| rng.next_u64()), expected);
    }

    #[test]
    fn streams_of_a_seed_differ() {
        let first: Vec<u64> = (0..100).map(|n| Rng::with_stream(7, n).next_u64()).collect();
        let mut distinct = first.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), first.len());
    }

    #[test]
    fn shuffle_is_even() {
        // Each of the 24 orders of 4 items comes about 1,000 times in 24,000;
        // 5 standard deviations are 155.
        let mut counts = std::collections::HashMap::new();
        let mut rng = Rng::new(0);
        for _ in 0..24_000 {
            let mut items = [0, 1, 2, 3];
            rng.shuffle(&mut items);
            *counts.entry(items).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 24);
        assert!(counts.values().all(|&count: &i32| (count - 1_000).abs() < 155), "{counts:?}");
    }

    #[test]
    fn uniform_fills_its_range() {
        let mut rng = Rng::new(3);
        let values: Vec<f32> = (0..10_000).map(|_| rng.uniform(0.5)).collect();
        assert!(values.iter().all(|value| (-0.5..0.5).contains(value)));
        let mean = values.iter().sum::<f32>() / 10_000.0;
        // The standard deviation of the mean is 0.0029.
        assert!(mean.abs() < 0.015, "{mean}");
        assert!(values.iter().any(|&value| value < -0.49) && values.iter().any(|&v| v > 0.49));
    }
}
