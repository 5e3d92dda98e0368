//! How far each pixel is from a mask.

use crate::preprocess::grid::{Mask, Plane};

/// Farther than any two pixels of a working picture, also when squared.
const FAR: f32 = 1e12;

/// The Euclidean distance from the middle of each pixel to that of the nearest
/// pixel of the mask; very large where the mask is empty.
///
/// # Source
/// Felzenszwalb, Huttenlocher, *Distance transforms of sampled functions*
/// (Theory of Computing, 2012): along the columns by counting, then along the rows
/// by the lower envelope of parabolas.
pub(super) fn distance(mask: &Mask) -> Plane {
    if !mask.values.contains(&true) {
        return mask.map(|_| FAR);
    }
    let width = mask.width;
    let mut result = mask.map(|inside| if inside { 0.0 } else { FAR });
    let rows = &mut result.values;
    for y in 1..mask.height {
        let (above, this) = rows.split_at_mut(y * width);
        count_on(&mut this[..width], &above[(y - 1) * width..]);
    }
    for y in (1..mask.height).rev() {
        let (above, this) = rows.split_at_mut(y * width);
        count_on(&mut above[(y - 1) * width..], &this[..width]);
    }
    let halves = (0..width).map(|apart| 0.5 / apart as f32).collect();
    let mut envelope = Envelope { parabolas: Vec::with_capacity(width), halves };
    let mut heights = vec![0.0; width];
    for row in result.values.chunks_exact_mut(width.max(1)) {
        for (height, &distance) in heights.iter_mut().zip(&*row) {
            *height = if distance < FAR { distance * distance } else { FAR };
        }
        envelope.sample(&heights, row);
    }
    // All roots together become SIMD.
    result.values.iter_mut().for_each(|value| *value = value.sqrt());
    result
}

/// One more than the distance in the next row, if that is nearer.
fn count_on(row: &mut [f32], next: &[f32]) {
    for (distance, &next) in row.iter_mut().zip(next) {
        *distance = if next + 1.0 < *distance { next + 1.0 } else { *distance };
    }
}

struct Envelope {
    /// Where each parabola of the envelope begins, and its vertex.
    parabolas: Vec<(f32, usize)>,
    /// 1/2n at n: a division takes longer. Where rounding moves a meeting across the
    /// middle of a pixel, both parabolas are as high there.
    halves: Vec<f32>,
}

impl Envelope {
    /// `result[q]` = min over p of (q − p)² + `heights[p]`.
    fn sample(&mut self, heights: &[f32], result: &mut [f32]) {
        let of = |p: usize| heights[p] + (p * p) as f32;
        self.parabolas.clear();
        // Among vertices at 0, those at the ends are nearest to all others.
        let is_zero = |q: usize| heights.get(q).is_some_and(|&height| height == 0.0);
        let is_between = |q: usize| is_zero(q) && is_zero(q + 1) && q > 0 && is_zero(q - 1);
        for q in (0..heights.len()).filter(|&q| heights[q] < FAR && !is_between(q)) {
            let start = loop {
                let Some(&(start, p)) = self.parabolas.last() else { break f32::MIN };
                let meeting = (of(q) - of(p)) * self.halves[q - p];
                if meeting > start {
                    break meeting;
                }
                self.parabolas.pop();
            };
            self.parabolas.push((start, q));
        }
        let mut current = 0;
        for (q, result) in result.iter_mut().enumerate() {
            while self.parabolas.get(current + 1).is_some_and(|next| next.0 < q as f32) {
                current += 1;
            }
            if is_zero(q) {
                *result = 0.0;
                continue;
            }
            let p = self.parabolas[current].1;
            *result = (q.abs_diff(p) * q.abs_diff(p)) as f32 + heights[p];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preprocess::grid::tests::random_mask;

    #[test]
    fn distances_are_those_to_the_nearest_of_all_pixels() {
        for (width, height, share) in
            [(1, 1, 1.0), (1, 12, 0.2), (12, 1, 0.2), (23, 17, 0.03), (9, 30, 0.5)]
        {
            for seed in 0..20 {
                let mask = random_mask(width, height, share, seed);
                let found = distance(&mask);
                let inside: Vec<usize> = (0..width * height).filter(|&i| mask.values[i]).collect();
                for at in 0..width * height {
                    let squared = |&i: &usize| {
                        (i % width).abs_diff(at % width).pow(2)
                            + (i / width).abs_diff(at / width).pow(2)
                    };
                    let nearest = inside.iter().map(squared).min();
                    let expected = nearest.map_or(FAR, |squared| (squared as f32).sqrt());
                    assert_eq!(found.values[at], expected, "{width} x {height} at {at}");
                }
            }
        }
    }
}
