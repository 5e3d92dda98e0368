//! Random numbers: the same on every machine, and no function of the platform's.

/// SplitMix64 (Steele, Lea and Flood, *Fast splittable pseudorandom number
/// generators*, 2014).
pub(crate) struct Random(u64);

impl Random {
    /// The stream of one picture: the same for the same purpose and index.
    pub(crate) fn of(purpose: &str, index: usize) -> Self {
        let mut random = Self(index as u64);
        for byte in purpose.bytes() {
            random.0 = random.next() ^ u64::from(byte);
        }
        random
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 0 to 1, without 1.
    pub(crate) fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1 << 24) as f32
    }

    pub(crate) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    pub(crate) fn below(&mut self, count: usize) -> usize {
        (((self.next() >> 32) * count as u64) >> 32) as usize
    }

    pub(crate) fn chance(&mut self, probability: f32) -> bool {
        self.unit() < probability
    }

    pub(crate) fn choose<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// Nearly normal, mean 0 and deviation 1: the sum of four uniform numbers,
    /// never beyond 3.5.
    pub(crate) fn normal(&mut self) -> f32 {
        let bits = self.next();
        let sum: u64 = (0..4).map(|part| (bits >> (16 * part)) & 0xffff).sum();
        (sum as f32 / 65_536.0 - 2.0) * 3.0_f32.sqrt()
    }

    /// A direction: cosine and sine of an angle.
    pub(crate) fn direction(&mut self) -> (f32, f32) {
        loop {
            let (x, y) = (self.between(-1.0, 1.0), self.between(-1.0, 1.0));
            let length = (x * x + y * y).sqrt();
            if (0.1..1.0).contains(&length) {
                return (x / length, y / length);
            }
        }
    }
}

/// A smooth random function over the unit square, −1 to 1: random values on a
/// grid, and smooth steps between them.
pub(crate) struct Field {
    cells: usize,
    values: Vec<f32>,
}

impl Field {
    /// With features about `1 / cells` wide.
    pub(crate) fn new(random: &mut Random, cells: usize) -> Self {
        let values = (0..(cells + 2) * (cells + 2)).map(|_| random.between(-1.0, 1.0)).collect();
        Self { cells, values }
    }

    /// The value at a point; what is outside the unit square is as at its edge.
    pub(crate) fn at(&self, x: f32, y: f32) -> f32 {
        let split = |t: f32| {
            let t = t.clamp(0.0, 1.0) * self.cells as f32;
            let cell = t.floor();
            let rest = t - cell;
            (cell as usize, rest * rest * (3.0 - 2.0 * rest))
        };
        let ((column, right), (row, down)) = (split(x), split(y));
        let value = |dx, dy| self.values[(row + dy) * (self.cells + 2) + column + dx];
        let top = value(0, 0) + (value(1, 0) - value(0, 0)) * right;
        let bottom = value(0, 1) + (value(1, 1) - value(0, 1)) * right;
        top + (bottom - top) * down
    }
}
