//! How much darker than the paper around it each pixel is.

use crate::preprocess::grid::{Plane, quantile};
use crate::preprocess::morphology::closing;

/// Whether the ink is darker or lighter than the paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Polarity {
    /// Dark ink on light paper.
    Dark,
    /// Light ink on dark paper, such as chalk on a board.
    Light,
}

/// Below this brightness paper counts as this bright: what is nearly black has
/// no contrast but noise.
pub(super) const LEAST_BRIGHTNESS: f32 = 32.0;

/// Paper is plain if four fifths of it, and all of it along the border, differ
/// from its median by less than these shares of the contrast with the ink.
const PLAIN: f32 = 0.05;
const PLAIN_BORDER: f32 = 0.15;

/// At least this share of a picture on plain paper is paper.
const MOSTLY: f32 = 0.6;

/// Of so many pixels of paper one is looked at where its median is wanted.
const SAMPLE: usize = 3;

/// How much darker than the paper each pixel is.
pub(super) struct Contrast {
    /// As a share of the paper's brightness, or of all brightness.
    pub(super) share: Plane,
    /// In steps of brightness.
    pub(super) depth: Plane,
}

impl Contrast {
    /// The contrast of dark strokes with the paper around them.
    ///
    /// The paper is the closing with a square of `radius`; the difference to it
    /// is the top-hat, and the quotient of the two is the share of light that
    /// the ink takes, whatever the light. `shaded` says whether values are
    /// brightnesses, so that the quotient has a meaning.
    ///
    /// # Source
    /// Top-hat: Meyer, *Iterative image transformations for an automatic
    /// screening of cervical smears* (Journal of Histochemistry and
    /// Cytochemistry, 1979). Shading correction by division: Gonzalez, Woods,
    /// *Digital image processing* (2008), section 2.6.3.
    pub(super) fn by_top_hat(plane: &Plane, radius: usize, shaded: bool) -> Self {
        let paper = closing(plane, radius);
        let mut share = Plane::filled(plane.width, plane.height, 0.0);
        let mut depth = paper;
        for ((share, depth), &value) in
            share.values.iter_mut().zip(&mut depth.values).zip(&plane.values)
        {
            let paper = *depth;
            *depth = paper - value;
            *share = *depth / if shaded { paper.max(LEAST_BRIGHTNESS) } else { 255.0 };
        }
        Self { share, depth }
    }

    /// The contrast with paper that has one brightness all over, and which of
    /// two brightnesses that is; `None` where the light or the paper is uneven,
    /// or ink is at the border.
    ///
    /// # Source
    /// Otsu, *A threshold selection method from gray-level histograms* (IEEE
    /// Transactions on Systems, Man, and Cybernetics, 1979).
    pub(super) fn on_plain_paper(plane: &Plane) -> Option<(Plane, Polarity)> {
        let threshold = otsu_threshold(plane)?;
        let (right, bottom) = (plane.width - 1, plane.height - 1);
        let border = || {
            let rows = (0..=bottom).flat_map(|y| [plane.at(0, y), plane.at(right, y)]);
            rows.chain((0..=right).flat_map(|x| [plane.at(x, 0), plane.at(x, bottom)]))
        };
        let polarity = if plane.at(0, 0) > threshold { Polarity::Dark } else { Polarity::Light };
        let is_paper = |value: f32| (value > threshold) == (polarity == Polarity::Dark);
        if !border().all(is_paper) {
            return None;
        }
        // There may be little ink, in rows or columns that a sample misses.
        let all = || plane.values.iter().copied();
        let mut ink: Vec<f32> = all().filter(|&value| !is_paper(value)).collect();
        let mut paper: Vec<f32> = all().step_by(SAMPLE).filter(|&value| is_paper(value)).collect();
        if paper.is_empty() || ink.len() as f32 > (1.0 - MOSTLY) * plane.values.len() as f32 {
            return None;
        }
        let (brightness, ink) = (quantile(&mut paper, 0.5), quantile(&mut ink, 0.5));
        let contrast = (brightness - ink).abs();
        let off = |value: f32| (value - brightness).abs();
        paper.iter_mut().for_each(|value| *value = off(*value));
        if quantile(&mut paper, 0.8) > PLAIN * contrast
            || border().any(|value| off(value) > PLAIN_BORDER * contrast)
        {
            return None;
        }
        let sign = if polarity == Polarity::Dark { 1.0 } else { -1.0 };
        Some((plane.map(|value| (sign * (brightness - value)).max(0.0) / 255.0), polarity))
    }
}

/// The brightness that splits the pixels into two classes so that the variance
/// between the classes is largest; none where there is one brightness only.
fn otsu_threshold(plane: &Plane) -> Option<f32> {
    let (least, most) = plane.range();
    if most <= least {
        return None;
    }
    let scale = 255.99 / (most - least);
    let mut histogram = [0_u32; 256];
    for &value in &plane.values {
        histogram[((value - least) * scale) as usize] += 1;
    }
    let total = plane.values.len() as f64;
    let all: f64 = histogram.iter().enumerate().map(|(i, &n)| i as f64 * f64::from(n)).sum();
    let (mut below, mut sum) = (0.0, 0.0);
    let (mut best, mut best_variance) = (0, 0.0);
    for (bin, &count) in histogram.iter().enumerate() {
        below += f64::from(count);
        sum += bin as f64 * f64::from(count);
        let above = total - below;
        if below == 0.0 || above == 0.0 {
            continue;
        }
        let difference = sum / below - (all - sum) / above;
        let variance = below * above * difference * difference;
        if variance > best_variance {
            (best, best_variance) = (bin, variance);
        }
    }
    Some(least + (best + 1) as f32 / scale)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preprocess::grid::tests::random_plane;

    /// A stroke of ink, under light.
    fn stroke(light: impl Fn(usize, usize) -> f32, paper: f32, ink: f32) -> Plane {
        let mut plane = Plane::filled(80, 60, 0.0);
        for (x, y) in (0..60).flat_map(|y| (0..80).map(move |x| (x, y))) {
            let inked = (30..36).contains(&x) && (8..52).contains(&y);
            plane.set(x, y, light(x, y) * if inked { ink } else { paper });
        }
        plane
    }

    #[test]
    fn contrast_is_the_share_of_light_that_ink_takes_in_any_light() {
        let lights: [fn(usize, usize) -> f32; 3] = [
            |_, _| 1.0,
            |x, y| 1.0 - 0.004 * x as f32 - 0.005 * y as f32,
            |x, y| if x + 2 * y > 95 { 1.0 } else { 0.5 },
        ];
        for light in lights {
            let plane = stroke(light, 240.0, 60.0);
            let Contrast { share, depth } = Contrast::by_top_hat(&plane, 6, true);
            for (x, y) in [(32, 12), (33, 30), (34, 48)] {
                assert!((share.at(x, y) - 0.75).abs() < 0.03, "{} at ({x}, {y})", share.at(x, y));
                let expected = 180.0 * light(x, y);
                assert!((depth.at(x, y) / expected - 1.0).abs() < 0.05, "{}", depth.at(x, y));
            }
            for (x, y) in [(15, 30), (60, 30), (50, 12)] {
                assert!(share.at(x, y) < 0.08, "{} at ({x}, {y})", share.at(x, y));
            }
        }
    }

    #[test]
    fn plain_paper_is_told_from_paper_in_light() {
        let even = |_: usize, _: usize| 1.0;
        for (paper, ink, expected) in
            [(240.0, 60.0, Polarity::Dark), (30.0, 200.0, Polarity::Light)]
        {
            let found = Contrast::on_plain_paper(&stroke(even, paper, ink)).expect("plain");
            assert_eq!(found.1, expected);
            assert_eq!(found.0.at(33, 30), f32::abs(paper - ink) / 255.0);
            assert_eq!(found.0.at(3, 3), 0.0);
        }
        let uneven = stroke(|x, _| 0.5 + x as f32 / 160.0, 240.0, 60.0);
        let noise = random_plane(80, 60, 4).map(|value| 255.0 * value);
        let at_border = stroke(even, 240.0, 60.0).part(32..60, 5..55);
        for plane in [uneven, noise, at_border, Plane::filled(9, 9, 7.0)] {
            assert!(Contrast::on_plain_paper(&plane).is_none());
        }
    }

    #[test]
    fn the_threshold_parts_the_classes_best() {
        for seed in 0..10 {
            // Two heaps of values, the second one smaller.
            let mut plane = random_plane(40, 30, seed).map(|value| (60.0 * value).floor());
            let (high, shift) = (100 + 60 * seed as usize, 40.0 + 10.0 * seed as f32);
            plane.values[..high].iter_mut().for_each(|value| *value += shift);
            let variance = |threshold: f32| {
                let above: Vec<f32> =
                    plane.values.iter().copied().filter(|&value| value > threshold).collect();
                let (n, all) = (above.len() as f32, plane.values.len() as f32);
                let (sum, total) = (above.iter().sum::<f32>(), plane.values.iter().sum::<f32>());
                if n == 0.0 || n == all {
                    return 0.0;
                }
                n * (all - n) * (sum / n - (total - sum) / (all - n)).powi(2)
            };
            let best = (0..200).map(|step| variance(step as f32)).fold(0.0, f32::max);
            let found = variance(otsu_threshold(&plane).expect("two values"));
            assert!(found > 0.98 * best, "seed {seed}: {found} of {best}");
        }
    }
}
