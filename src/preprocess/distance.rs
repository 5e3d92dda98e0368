//! How far each pixel is from a mask.

use crate::preprocess::grid::{Mask, Plane};

/// Farther than any two pixels of a working picture, squared.
const FAR: f32 = 1e12;

/// The Euclidean distance from the middle of each pixel to that of the nearest
/// pixel of the mask; very large where the mask is empty.
///
/// # Source
/// Felzenszwalb, Huttenlocher, *Distance transforms of sampled functions*
/// (Theory of Computing, 2012): the lower envelope of parabolas, along the
/// columns, then along the rows.
pub(super) fn distance(mask: &Mask) -> Plane {
    let mut squared = mask.map(|inside| if inside { 0.0 } else { FAR });
    let longer = mask.width.max(mask.height);
    let mut envelope = Envelope { parabolas: Vec::with_capacity(longer) };
    let mut line = vec![0.0; longer];
    for _ in 0..2 {
        squared = squared.transposed();
        for row in squared.values.chunks_exact_mut(squared.width.max(1)) {
            let line = &mut line[..row.len()];
            line.copy_from_slice(row);
            envelope.sample(line, row);
        }
    }
    squared.map(f32::sqrt)
}

struct Envelope {
    /// Where each parabola of the envelope begins, and its vertex.
    parabolas: Vec<(f32, usize)>,
}

impl Envelope {
    /// `result[q]` = min over p of (q − p)² + `heights[p]`.
    fn sample(&mut self, heights: &[f32], result: &mut [f32]) {
        let of = |p: usize| heights[p] + (p * p) as f32;
        self.parabolas.clear();
        for q in (0..heights.len()).filter(|&q| heights[q] < FAR) {
            let start = loop {
                let Some(&(start, p)) = self.parabolas.last() else { break f32::MIN };
                let meeting = (of(q) - of(p)) / (2 * (q - p)) as f32;
                if meeting > start {
                    break meeting;
                }
                self.parabolas.pop();
            };
            self.parabolas.push((start, q));
        }
        if self.parabolas.is_empty() {
            return;
        }
        let mut current = 0;
        for (q, result) in result.iter_mut().enumerate() {
            while self.parabolas.get(current + 1).is_some_and(|next| next.0 < q as f32) {
                current += 1;
            }
            let p = self.parabolas[current].1;
            *result = (q.abs_diff(p) * q.abs_diff(p)) as f32 + heights[p];
        }
    }
}
