//! Products of one row.
//!
//! With a packed matrix, or with one as it is: the former is read faster, but to pack it takes
//! longer than one product. Both pass over the zeros of the row.

use crate::activation::Activation;
use crate::kernel::aligned::Aligned;
use crate::kernel::entry::{GROUP, Number};
use crate::kernel::prefetch::prefetch;
use crate::kernel::products::add;
use crate::kernel::simd::{Kernel, Simd};
use crate::kernel::tiles::Tiles;
use crate::kernel::width::{AtWidth, MAX_VECTORS, store_row};

/// How many columns before its turn a row of weights is asked for: it comes from the L2 cache,
/// and the processor cannot guess which is next. (A prediction takes 5 % less; with 8, as much.)
const AHEAD: usize = 4;

/// y = f(x·W + b), W in whole panels.
pub(crate) struct ForwardRow<'a> {
    /// x.
    pub(crate) inputs: &'a [f32],
    /// Room for as many numbers, and a group more.
    pub(crate) columns: &'a mut [u32],
    /// W, and b in the row after.
    pub(crate) weights: &'a Tiles,
    pub(crate) width: usize,
    pub(crate) activation: Activation,
    /// y, (panels, width).
    pub(crate) outputs: &'a mut Aligned,
}

impl AtWidth for ForwardRow<'_> {
    #[inline(always)]
    fn width(&self) -> usize {
        self.width
    }

    #[inline(always)]
    fn at_width<S: Simd, const WIDTH: usize>(self, simd: S) {
        let Self { inputs, columns, weights, .. } = self;
        let (groups, rest) = inputs.as_chunks();
        let mut last = [0.0; GROUP];
        last[..rest.len()].copy_from_slice(rest);
        let mut kept = 0;
        for (group, first) in groups.iter().chain([&last]).zip((0..).step_by(GROUP)) {
            let to = columns[kept..].first_chunk_mut().expect("room for a group");
            kept += simd.keep_columns(group, first, to);
        }
        let columns = &columns[..kept];
        let outputs = self.outputs.as_chunks_mut::<WIDTH>().0;
        for (panel, output) in outputs.iter_mut().enumerate() {
            let weights = weights.whole_panel(panel).values.as_chunks::<WIDTH>().0;
            let mut sums = [simd.splat(0.0); MAX_VECTORS];
            for (index, &column) in columns.iter().enumerate() {
                if let Some(&ahead) = columns.get(index + AHEAD) {
                    prefetch(&weights[ahead as usize]);
                }
                let value = inputs[column as usize];
                add::<S, Number, WIDTH>(simd, Number { column, value }, weights, &mut sums);
            }
            let bias = Number { column: inputs.len() as u32, value: 1.0 };
            add::<S, Number, WIDTH>(simd, bias, weights, &mut sums);
            store_row::<S, WIDTH>(simd, &sums, output);
        }
        self.activation.forward(outputs.as_flattened_mut());
    }
}

/// Rows of the matrix that are added at once, so that the sums are loaded and
/// stored seldom.
const AT_ONCE: usize = 4;

/// y += x·W, past the zeros of x.
pub(crate) struct AddRowProduct<'a> {
    /// x, as many as W has rows.
    pub(crate) inputs: &'a [f32],
    /// W, row by row.
    pub(crate) weights: &'a [f32],
    /// y, as many as W has columns.
    pub(crate) sums: &'a mut [f32],
}

impl Kernel for AddRowProduct<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let cols = self.sums.len();
        assert_eq!(self.weights.len(), self.inputs.len() * cols, "a weight for each product");
        let mut group = [(0.0, 0); AT_ONCE];
        let mut len = 0;
        for (row, &input) in self.inputs.iter().enumerate() {
            if input != 0.0 {
                group[len] = (input, row);
                len += 1;
                if len == AT_ONCE {
                    let rows = group.map(|(_, row)| &self.weights[row * cols..][..cols]);
                    add_group(simd, group.map(|(input, _)| input), rows, self.sums);
                    len = 0;
                }
            }
        }
        for (input, row) in &group[..len] {
            add_group(simd, [*input], [&self.weights[row * cols..][..cols]], self.sums);
        }
    }
}

/// Adds some rows to the sums, each element of them in the order of the rows.
#[inline(always)]
fn add_group<S: Simd, const N: usize>(
    simd: S,
    inputs: [f32; N],
    rows: [&[f32]; N],
    sums: &mut [f32],
) {
    let values = inputs.map(|input| simd.splat(input));
    let whole = sums.len() - sums.len() % S::LANES;
    for first in (0..whole).step_by(S::LANES) {
        let mut sum = simd.load(&sums[first..]);
        for (value, row) in values.iter().zip(rows) {
            sum = simd.mul_add(*value, simd.load(&row[first..]), sum);
        }
        simd.store(sum, &mut sums[first..]);
    }
    for index in whole..sums.len() {
        for (input, row) in inputs.iter().zip(rows) {
            sums[index] = input.mul_add(row[index], sums[index]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::level::Level;
    use crate::kernel::tiles::{Slot, panels_of};

    #[test]
    fn a_row_is_multiplied_past_its_zeros() {
        let number = |i: usize| (i * 7919 % 1013) as f32 / 506.0 - 1.0;
        let sizes = [(1, 1), (15, 16), (16, 70), (17, 33), (130, 48), (785, 128)];
        for (inputs, cols) in sizes.into_iter().take(if cfg!(miri) { 4 } else { 6 }) {
            let (width, panels) = panels_of(cols);
            let mut weights = Tiles::zeros(inputs + 1, cols, (inputs + 1, 1));
            let rows: Vec<Vec<f32>> = (0..=inputs)
                .map(|row| (0..cols).map(|col| number(row * cols + col)).collect())
                .collect();
            for (row, values) in rows.iter().enumerate() {
                weights.set_row(Slot::Values, row, values);
            }
            for gap in [1, 2, 40] {
                let x = |i: usize| if i.is_multiple_of(gap) { number(i + 3) } else { -0.0 };
                let x: Vec<f32> = (0..inputs).map(x).collect();
                let expected = (0..panels * width).map(|col| {
                    let pairs = x.iter().chain([&1.0]).zip(&rows);
                    let chain = pairs.fold(0.0, |sum, (x, row)| {
                        x.mul_add(row.get(col).copied().unwrap_or(0.0), sum)
                    });
                    chain.max(0.0)
                });
                let expected: Vec<f32> = expected.collect();
                for level in Level::available() {
                    let mut outputs = Aligned::zeros(panels * width);
                    // Whatever is in the room changes nothing.
                    let mut columns = vec![u32::MAX; inputs + GROUP];
                    level.run(ForwardRow {
                        inputs: &x,
                        columns: &mut columns,
                        weights: &weights,
                        width,
                        activation: Activation::Relu,
                        outputs: &mut outputs,
                    });
                    assert_eq!(outputs[..], expected, "{level}, {inputs} x {cols}, {gap}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_number_stays() {
        let mut weights = Tiles::zeros(20, 1, (20, 1));
        (0..20).for_each(|row| weights.set_row(Slot::Values, row, &[1.0]));
        for level in Level::available() {
            for place in 0..19 {
                let mut inputs = [0.0; 19];
                inputs[place] = f32::NAN;
                let mut outputs = Aligned::zeros(16);
                level.run(ForwardRow {
                    inputs: &inputs,
                    columns: &mut [0; 19 + GROUP],
                    weights: &weights,
                    width: 16,
                    activation: Activation::Linear,
                    outputs: &mut outputs,
                });
                assert!(outputs[0].is_nan(), "{level}, {place}");
            }
        }
    }
}
