//! The forward pass of one image, on the caller's thread.

use crate::kernel::aligned::Aligned;
use crate::kernel::entry::GROUP;
use crate::kernel::level::Level;
use crate::kernel::row::ForwardRow;
use crate::kernel::tiles::panels_of;
use crate::pass::Packed;

/// The buffers of a forward pass of one image.
pub(crate) struct RowPass {
    /// Where a layer's inputs are not zero.
    columns: Vec<u32>,
    /// The outputs of a layer, and those of the one before.
    outputs: [Aligned; 2],
}

impl RowPass {
    pub(crate) fn new(packed: &Packed) -> Self {
        let inputs = packed.layers.iter().map(|layer| layer.inputs).max().unwrap_or(0);
        let outputs = packed.layers.iter().map(|layer| layer.outputs).max().unwrap_or(0);
        let (width, panels) = panels_of(outputs);
        let outputs = Aligned::zeros(panels * width);
        Self { columns: vec![0; inputs + GROUP], outputs: [outputs.clone(), outputs] }
    }

    /// The logits of an image; the network is packed [in panels](Packed::in_panels).
    pub(crate) fn forward(&mut self, packed: &Packed, level: Level, image: &[f32]) -> &mut [f32] {
        let Self { columns, outputs } = self;
        let [mut outputs, mut before] = outputs.each_mut();
        for (index, layer) in packed.layers.iter().enumerate() {
            let (width, panels) = panels_of(layer.outputs);
            outputs.resize(panels * width);
            level.run(ForwardRow {
                inputs: if index == 0 { image } else { &before[..layer.inputs] },
                columns,
                weights: &layer.weights,
                width,
                activation: layer.activation,
                outputs,
            });
            std::mem::swap(&mut outputs, &mut before);
        }
        &mut before[..packed.classes()]
    }
}
