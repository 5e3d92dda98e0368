//! Rotation, shear, scaling and shift.

use crate::augment::{Amounts, LANES};
use crate::math::sin_cos;

/// From a pixel of the result to its place in the source: c + M⁻¹·(p − c − shift).
#[derive(Clone, Copy)]
pub(super) struct Affine {
    /// M⁻¹, row by row.
    inverse: [[f32; 2]; 2],
    /// c, in columns and rows; the middle of the first pixel is 0.
    centre: [f32; 2],
    /// c + shift.
    moved: [f32; 2],
}

impl Affine {
    pub(super) fn new(amounts: &Amounts, rows: usize, cols: usize) -> Self {
        let (sin, cos) = sin_cos(amounts.rotation.to_radians());
        let (shear_sin, shear_cos) = sin_cos(amounts.shear.to_radians());
        let slant = shear_sin / shear_cos;
        let [width, height] = amounts.scaling;
        // M⁻¹ = scaling⁻¹ · shear⁻¹ · rotation⁻¹, with
        // rotation = (cos −sin; sin cos) and shear = (1 slant; 0 1).
        let inverse = [
            [(cos + slant * sin) / width, (sin - slant * cos) / width],
            [-sin / height, cos / height],
        ];
        let centre = [cols, rows].map(|length| (length as f32 - 1.0) * 0.5);
        let moved = [centre[0] + amounts.shift[0], centre[1] + amounts.shift[1]];
        Self { inverse, centre, moved }
    }

    /// The columns and rows where the pixels of a row, from column `first` on, come
    /// from.
    #[inline(always)]
    pub(super) fn sources(&self, row: usize, first: usize) -> [[f32; LANES]; 2] {
        let down = row as f32 - self.moved[1];
        let mut sources = [[0.0; LANES]; 2];
        for (axis, sources) in sources.iter_mut().enumerate() {
            let [across, along] = self.inverse[axis];
            let start = self.centre[axis] + along * down;
            for (lane, source) in sources.iter_mut().enumerate() {
                *source = start + across * ((first + lane) as f32 - self.moved[0]);
            }
        }
        sources
    }
}
