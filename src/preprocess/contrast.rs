//! How much darker than the paper around it each pixel is.

use crate::preprocess::grid::Plane;
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
const LEAST_BRIGHTNESS: f32 = 32.0;

/// The contrast of dark strokes with the paper around them: 0 for paper, 1 for
/// black on it.
///
/// The paper is the closing with a square of `radius`; the difference to it is
/// the top-hat, and the quotient of the two is the share of light that the ink
/// takes, whatever the light. `shaded` says whether values are brightnesses, so
/// that the quotient has a meaning.
///
/// # Source
/// Top-hat: Meyer, *Iterative image transformations for an automatic screening
/// of cervical smears* (Journal of Histochemistry and Cytochemistry, 1979).
/// Shading correction by division: Gonzalez, Woods, *Digital image processing*
/// (2008), section 2.6.3.
pub(super) fn contrast(plane: &Plane, radius: usize, shaded: bool) -> Plane {
    let paper = closing(plane, radius);
    let values = plane.values.iter().zip(&paper.values).map(|(&value, &paper)| {
        (paper - value) / if shaded { paper.max(LEAST_BRIGHTNESS) } else { 255.0 }
    });
    Plane { values: values.collect(), ..paper }
}
