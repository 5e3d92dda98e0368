//! The end of a step and the beginning of the next, by hidden unit.
//!
//! Where there is one hidden layer, and each thread has as many of its panels, a thread keeps
//! what belongs to their units: the weights that lead to them, and those that lead on. It asks
//! the other threads only for what all units together say of an image. D of its units and Wᵀ of
//! the second layer never leave its core, and it goes on to Y of the images that follow without
//! a wait. (On two cores training takes 3 % less, and 5 to 8 % where they share no cache.)

use std::slice;

use crate::descent::errors::PartErrors;
use crate::descent::first_layer::FirstLayer;
use crate::descent::{Chunk, Gradients, OtherShape};
use crate::kernel::aligned::Aligned;
use crate::kernel::level::Level;
use crate::kernel::panels::{Differentiate, Panels, multiply};
use crate::kernel::parallel::Pool;
use crate::kernel::step::Step;
use crate::kernel::tiles::Tile;
use crate::pass::{Packed, Part};

/// What is known of the hidden units of a panel.
#[derive(Default)]
pub(super) struct Units {
    /// Y of the chunk that follows, (images, width).
    pub(super) outputs: Aligned,
    /// D, (images, width).
    errors: Aligned,
    /// Their columns of Wᵀ of the second layer.
    transposed: Tile,
}

impl FirstLayer {
    /// Whether threads keep the units: each has as many panels, and what these lead to is narrow.
    /// (With dropout, what the images lose that follow would have to be known.)
    pub(in crate::descent) fn has_units(&self, packed: &Packed, chunk: &Chunk<'_>) -> bool {
        matches!(&packed.layers[..], [_, second] if second.is_narrow())
            && self.pieces == 1
            && self.shape.has_columns
            && chunk.dropout.is_none()
    }

    /// D of the units, the gradients of both layers, and the step if it is the time; then Y of
    /// the chunk that follows. And, by block, X of the one after that.
    pub(in crate::descent) fn descend_units<'a>(
        &mut self,
        pool: &mut Pool,
        level: Level,
        (packed, parts, errors): (&mut Packed, &[Part], &[PartErrors]),
        chunk: &Chunk<'_>,
        step: Option<Step>,
        image: impl Fn(usize) -> &'a [u8] + Sync,
    ) {
        let [first, second] = &mut packed.layers[..] else { return };
        let mut all_units = std::mem::take(&mut self.units);
        let mut after = std::mem::take(&mut self.after);
        let (width, activation, of_panel) = (self.shape.width, first.activation, first.of_panel());
        let (classes, second_shape) = (second.outputs, OtherShape::of(second));
        let (images, [next, _]) = (chunk.labels.len(), chunk.follow);
        let outputs = self.outputs(images, parts.len());
        let gradients = Gradients { chunk, outputs, parts, errors, step, level };
        let descend = |panel: usize, units: &mut Units, second: &mut Tile, tiles: &mut [Tile]| {
            let Units { outputs: next_outputs, errors, transposed } = units;
            // D, with the second layer's weights as they are before the step.
            let rows = width.min(self.used - panel * width);
            transposed.values.resize(classes * width);
            second.transpose((rows, second_shape.width), transposed, width);
            errors.resize(images * width);
            for (part, above) in parts.iter().zip(gradients.errors) {
                let errors = &mut errors[part.images.start * width..part.images.end * width];
                let above = Panels::new(&above.layers[1]);
                multiply(level, above, classes, slice::from_ref(transposed), width, errors);
            }
            let outputs = &self.outputs[panel];
            level.run(Differentiate { activation, outputs, scale: 1.0, errors });
            // Both layers' weights.
            gradients.descend_other(1, second_shape, panel, second);
            for (block, tile) in tiles.iter_mut().enumerate() {
                self.descend(block, errors, tile, &gradients);
            }
            // Y of the chunk that follows.
            next_outputs.resize(next * width);
            of_panel.images(level, tiles, &self.next, 0..next, next_outputs);
        };
        let tiles = (&mut all_units[..], second.weights.tiles_mut(), first.weights.tiles_mut());
        pool.run_groups(tiles, descend, self.list_after(&mut after, level, chunk, image));
        (self.units, self.after, self.is_ahead) = (all_units, after, next > 0);
    }
}
