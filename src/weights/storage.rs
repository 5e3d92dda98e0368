//! The weights of a layer, in each of the ways in which a file stores them.

use std::io::{Read, Write};

use super::stream::{CrcReader, CrcWriter};
use super::{FORMAT, binary16, quantized};
use crate::error::Result;
use crate::matrix::Matrix;

/// How a file stores weights. Biases are few, and always f32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Storage {
    /// As they are: 4 bytes a weight.
    #[default]
    F32,
    /// IEEE 754 binary16, to nearest: 2 bytes a weight, 11 significant bits.
    F16,
    /// −127 to 127 times a scale for each output: a byte a weight. Reading and
    /// writing again gives the same bytes.
    I8,
}

/// Writes the weights of layer `number`, (inputs, outputs).
pub(super) fn write_weights(
    writer: &mut CrcWriter<impl Write>,
    weights: &Matrix,
    storage: Storage,
    number: usize,
) -> Result<()> {
    let values = weights.as_slice();
    match storage {
        Storage::F32 => writer.write_values(values, |weight| weight.to_le_bytes())?,
        Storage::F16 => {
            if let Some(index) = values.iter().position(|w| w.abs() >= binary16::LIMIT) {
                let (row, col) = (index / weights.cols(), index % weights.cols());
                return Err(FORMAT.unsupported(
                    format!("weight ({row}, {col}) of layer {number}"),
                    format!("less than {} for 16 bits", binary16::LIMIT),
                    values[index].to_string(),
                ));
            }
            writer.write_values(values, |&weight| binary16::from_f32(weight).to_le_bytes())?;
        }
        Storage::I8 => {
            let scales = quantized::scales(weights);
            writer.write_values(&scales, |scale| scale.to_le_bytes())?;
            let pairs = weights.iter_rows().flat_map(|row| row.iter().zip(&scales));
            writer.write_values(pairs, |(&weight, &scale)| {
                quantized::quantize(weight, scale).to_le_bytes()
            })?;
        }
    }
    Ok(())
}

/// Reads the weights of layer `number`, (inputs, outputs).
pub(super) fn read_weights(
    reader: &mut CrcReader<impl Read>,
    (inputs, outputs): (usize, usize),
    storage: Storage,
    number: usize,
) -> Result<Matrix> {
    let part = format!("weights of layer {number}");
    let length = inputs.checked_mul(outputs).ok_or_else(|| {
        FORMAT.malformed(&part, "sizes whose product fits", format!("{inputs} x {outputs}"))
    })?;
    let values = match storage {
        Storage::F32 => reader.values(length, &part, f32::from_le_bytes)?,
        Storage::F16 => {
            reader.values(length, &part, |bytes| binary16::to_f32(u16::from_le_bytes(bytes)))?
        }
        Storage::I8 => {
            let scales =
                reader.values(outputs, &format!("scales of layer {number}"), f32::from_le_bytes)?;
            if let Some(output) = scales.iter().position(|&scale| !quantized::is_scale(scale)) {
                return Err(FORMAT.malformed(
                    format!("scale {output} of layer {number}"),
                    "a finite number above 0",
                    scales[output].to_string(),
                ));
            }
            let mut values =
                reader.values(length, &part, |bytes| f32::from(i8::from_le_bytes(bytes)))?;
            if let Some(index) = values.iter().position(|&value| value < -127.0) {
                let (row, col) = (index / outputs, index % outputs);
                return Err(FORMAT.malformed(
                    format!("weight ({row}, {col}) of layer {number}"),
                    "-127 to 127",
                    "-128",
                ));
            }
            for row in values.chunks_exact_mut(outputs) {
                row.iter_mut().zip(&scales).for_each(|(value, scale)| *value *= scale);
            }
            values
        }
    };
    Ok(Matrix::from_vec(inputs, outputs, values))
}
