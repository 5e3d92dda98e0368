//! Augmentation: training images as other hands might have written them.
//!
//! For each image a map is drawn from a stream of random numbers: an affine one
//! about the image's centre, and an elastic field on top of it. Where pixel p of
//! the result comes from is
//!
//! ```text
//! source(p) = c + M⁻¹·(p − c − shift) + α·(G ∗ noise)(p)
//! M = rotation · shear · scaling
//! ```
//!
//! with the centre c, two fields of noise, even over −1 to 1 at each pixel and
//! zero outside the image, one for each direction, and a Gaussian G of standard
//! deviation σ whose weights add up to 1, cut off at 3 σ. The field is not
//! normalised after that: away from the edges, α = 34 and σ = 4 displace a pixel
//! by 1.4 pixels (root mean square) in each direction, α = 37 and σ = 5.5 by 1.1.
//!
//! The source is interpolated once, linearly between four pixels; outside the
//! image there is paper. Then the stroke is made thicker or thinner: each pixel
//! moves towards the largest, or the smallest, of itself and its four neighbours,
//! all the way for a change of one pixel.
//!
//! The result has the same bits at every [`Level`] and on every machine.
//!
//! # Source
//! - Simard, Steinkraus, Platt, *Best practices for convolutional neural networks
//!   applied to visual document analysis* (ICDAR 2003)
//! - Cireşan, Meier, Gambardella, Schmidhuber, *Deep, big, simple neural nets for
//!   handwritten digit recognition* (Neural Computation 22, 2010)

mod affine;
mod elastic;
mod interpolation;
mod stroke;

use crate::augment::affine::Affine;
use crate::augment::elastic::Elastic;
use crate::augment::interpolation::Source;
use crate::augment::stroke::Stroke;
use crate::dataset::{Dataset, Images};
use crate::error::{Error, Result};
use crate::kernel::level::Level;
use crate::kernel::simd::{Kernel, Simd};
use crate::rng::Rng;

/// Columns that are computed together: two vectors of AVX-512, four of AVX2.
const LANES: usize = 32;

/// How far images are distorted at most. Each amount is drawn anew for each
/// image, evenly from its range.
///
/// ```
/// use digit_recognizer::{Augmentation, Dataset, Images};
///
/// let mut pixels = vec![0; 28 * 28];
/// pixels[14 * 28 + 14] = 255;
/// let dataset = Dataset::new(Images::new(28, 28, pixels)?, vec![3])?;
/// let rotated = Augmentation { rotation: 10.0, ..Augmentation::NONE };
/// assert_eq!(rotated.apply(&dataset, 42, 1)?.labels(), [3]);
/// assert_eq!(Augmentation::NONE.apply(&dataset, 42, 1)?, dataset);
/// # Ok::<(), digit_recognizer::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Augmentation {
    /// Degrees of rotation either way, 0 to 45. Half of it for the digits 1 and
    /// 7, which slanted look like each other.
    pub rotation: f32,
    /// Degrees by which upright lines slant either way, 0 to 45. Half of it for
    /// the digits 1 and 7.
    pub shear: f32,
    /// The share by which the digit becomes larger or smaller, 0 to 0.5, in each
    /// direction on its own.
    pub scaling: f32,
    /// Pixels of shift either way, 0 to 1000, in each direction on its own.
    pub shift: f32,
    /// The strength α of the elastic field, in pixels, 0 to 1000.
    pub alpha: f32,
    /// The standard deviation σ of the Gaussian that smooths the elastic field,
    /// in pixels, 0.5 to 50.
    pub sigma: f32,
    /// Pixels by which the stroke becomes thicker or thinner on each side, 0 to 1.
    /// Those of MNIST are two to four pixels wide: beyond 0.5, thin ones fade.
    pub stroke: f32,
}

/// The middle of the ranges that Cireşan and others give: α 36 to 38, σ 5 to 6,
/// scaling 15 to 20 %; and rotation and shear of 15°.
impl Default for Augmentation {
    fn default() -> Self {
        Self { rotation: 15.0, shear: 15.0, scaling: 0.175, alpha: 37.0, sigma: 5.5, ..Self::NONE }
    }
}

impl Augmentation {
    /// No distortion: each image stays as it is.
    pub const NONE: Self = Self {
        rotation: 0.0,
        shear: 0.0,
        scaling: 0.0,
        shift: 0.0,
        alpha: 0.0,
        sigma: 5.5,
        stroke: 0.0,
    };

    /// Checks the settings.
    ///
    /// # Errors
    /// [`Error::InvalidConfig`] if a setting is outside its range.
    pub fn check(&self) -> Result<()> {
        let settings = [
            ("rotation", self.rotation, 0.0..=45.0, "from 0 to 45 degrees"),
            ("shear", self.shear, 0.0..=45.0, "from 0 to 45 degrees"),
            ("scaling", self.scaling, 0.0..=0.5, "from 0 to 0.5"),
            ("shift", self.shift, 0.0..=1000.0, "from 0 to 1000 pixels"),
            ("alpha", self.alpha, 0.0..=1000.0, "from 0 to 1000"),
            ("sigma", self.sigma, 0.5..=50.0, "from 0.5 to 50 pixels"),
            ("stroke", self.stroke, 0.0..=1.0, "from 0 to 1 pixel"),
        ];
        for (field, value, range, expected) in settings {
            if !range.contains(&value) {
                return Err(Error::InvalidConfig { field, expected, found: value.to_string() });
            }
        }
        Ok(())
    }

    /// Each image distorted, as training with `seed` sees it in epoch `epoch`,
    /// counted from 1.
    ///
    /// # Errors
    /// [`Error::InvalidConfig`] if a setting is outside its range.
    ///
    /// # Panics
    /// If the images have 2²⁰ or more rows or columns.
    pub fn apply(&self, dataset: &Dataset, seed: u64, epoch: u64) -> Result<Dataset> {
        self.check()?;
        let images = dataset.images();
        let mut distorter = Distorter::new(*self, images.rows(), images.cols(), Level::best());
        let mut pixels = vec![0; images.pixels().len()];
        let results = pixels.chunks_exact_mut(images.image_len());
        for (index, (result, &label)) in results.zip(dataset.labels()).enumerate() {
            let mut rng = stream(seed, epoch, index);
            distorter.distort(images.image(index), label, &mut rng, result);
        }
        Dataset::new(Images::new(images.rows(), images.cols(), pixels)?, dataset.labels().to_vec())
    }
}

/// The random numbers for an image in an epoch.
pub(crate) fn stream(seed: u64, epoch: u64, image: usize) -> Rng {
    Rng::with_stream(Rng::with_stream(seed, epoch).next_u64(), image as u64)
}

/// What is drawn for an image, but for the elastic field.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Amounts {
    /// Degrees, clockwise.
    rotation: f32,
    /// Degrees, to the right at the bottom.
    shear: f32,
    /// How many times as wide and high.
    scaling: [f32; 2],
    /// Pixels to the right and down.
    shift: [f32; 2],
    /// Pixels thicker.
    stroke: f32,
}

impl Amounts {
    /// Every amount is drawn, also from a range of 0 alone: a setting changes what
    /// it says and nothing else.
    fn draw(ranges: &Augmentation, label: u8, rng: &mut Rng) -> Self {
        let slant = if matches!(label, 1 | 7) { 0.5 } else { 1.0 };
        Self {
            rotation: rng.uniform(slant * ranges.rotation),
            shear: rng.uniform(slant * ranges.shear),
            scaling: [0; 2].map(|_| 1.0 + rng.uniform(ranges.scaling)),
            shift: [0; 2].map(|_| rng.uniform(ranges.shift)),
            stroke: rng.uniform(ranges.stroke),
        }
    }
}

/// The lanes of a buffer from `start` on.
///
/// # Panics
/// If there are fewer.
#[inline(always)]
fn lanes<T>(values: &[T], start: usize) -> &[T; LANES] {
    values[start..].first_chunk().expect("rows padded to whole lanes")
}

/// From here to twice this, neighbouring `f32` are 1 apart: added, it rounds to
/// whole numbers.
const WHOLE: f32 = (1 << 23) as f32;

/// The whole number nearest to `value`, from 0 to below 2²³. Vectors have no
/// conversion that saturates as that of Rust does.
#[inline(always)]
fn whole(value: f32) -> u32 {
    (value + WHOLE).to_bits() - WHOLE.to_bits()
}

/// Distorts images of one size, one after the other.
pub(crate) struct Distorter {
    augmentation: Augmentation,
    level: Level,
    source: Source,
    elastic: Option<Elastic>,
    stroke: Stroke,
}

impl Distorter {
    /// For settings that pass [`Augmentation::check`].
    ///
    /// # Panics
    /// If there are 2²⁰ or more rows or columns.
    pub(crate) fn new(augmentation: Augmentation, rows: usize, cols: usize, level: Level) -> Self {
        let Augmentation { alpha, sigma, .. } = augmentation;
        Self {
            augmentation,
            level,
            source: Source::new(rows, cols),
            elastic: (alpha > 0.0).then(|| Elastic::new(alpha, sigma, rows, cols)),
            stroke: Stroke::new(rows, cols),
        }
    }

    /// Writes the distorted image to `result`.
    ///
    /// # Panics
    /// If `image` or `result` has not as many pixels as the size says.
    pub(crate) fn distort(&mut self, image: &[u8], label: u8, rng: &mut Rng, result: &mut [u8]) {
        let amounts = Amounts::draw(&self.augmentation, label, rng);
        if let Some(elastic) = &mut self.elastic {
            elastic.draw(rng);
        }
        self.run(image, &amounts, result);
    }

    fn run(&mut self, image: &[u8], amounts: &Amounts, result: &mut [u8]) {
        let affine = Affine::new(amounts, self.source.rows(), self.source.cols());
        self.level.run(Distort {
            image,
            affine,
            thicker: amounts.stroke,
            source: &mut self.source,
            elastic: self.elastic.as_mut(),
            stroke: &mut self.stroke,
            result,
        });
    }
}

/// One image, once everything is drawn.
struct Distort<'a> {
    image: &'a [u8],
    affine: Affine,
    thicker: f32,
    source: &'a mut Source,
    elastic: Option<&'a mut Elastic>,
    stroke: &'a mut Stroke,
    result: &'a mut [u8],
}

impl Kernel for Distort<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, _: S) {
        self.source.load(self.image);
        if let Some(elastic) = &mut self.elastic {
            elastic.smooth_columns();
        }
        for row in 0..self.source.rows() {
            for first in (0..self.source.cols()).step_by(LANES) {
                let [mut x, mut y] = self.affine.sources(row, first);
                if let Some(elastic) = &self.elastic {
                    let [dx, dy] = elastic.displacements(row, first);
                    for lane in 0..LANES {
                        x[lane] += dx[lane];
                        y[lane] += dy[lane];
                    }
                }
                self.stroke.set(row, first, &self.source.interpolate(x, y));
            }
        }
        self.stroke.write(self.thicker, self.result);
    }
}

#[cfg(test)]
mod tests;
