//! Vectors of `f32`: the operations that differ between instruction sets.

#[cfg(target_arch = "x86_64")]
mod x86_64;

use crate::kernel::entry::{GROUP, NUMBERS, Number, Pixel};

/// Rows of pixels whose columns are taken at once: bytes of a vector of AVX2.
pub(crate) const BYTES: usize = 32;

/// An instruction set, as a value that exists only where the processor has it.
pub(crate) trait Simd: Copy {
    /// Some `f32`, side by side.
    type Vector: Copy;

    /// What turns pixels into numbers.
    type PixelScale: Copy;

    /// How many.
    const LANES: usize;

    /// Rows of the tile that the matrix product keeps in registers.
    const TILE_ROWS: usize;

    /// Vectors in a row of that tile.
    const TILE_VECTORS: usize;

    /// `value` in each lane.
    fn splat(self, value: f32) -> Self::Vector;

    /// The first values of `from`.
    ///
    /// # Panics
    /// If there are fewer than `LANES`.
    fn load(self, from: &[f32]) -> Self::Vector;

    /// Writes the lanes to the start of `to`.
    ///
    /// # Panics
    /// If it has fewer than `LANES` places.
    fn store(self, vector: Self::Vector, to: &mut [f32]);

    /// `a * b + c` in each lane, rounded once.
    fn mul_add(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;

    /// It, for [`load_pixels`](Self::load_pixels).
    fn pixel_scale(self) -> Self::PixelScale;

    /// The numbers that the first pixels of `from` stand for, 0 to 255 for 0 to 1.
    ///
    /// # Panics
    /// If there are fewer than `LANES`.
    fn load_pixels(self, from: &[u8], scale: Self::PixelScale) -> Self::Vector;

    /// Exchanges rows and columns.
    #[inline(always)]
    fn transpose(self, square: &mut [[f32; GROUP]; GROUP]) {
        *square = std::array::from_fn(|row| std::array::from_fn(|col| square[col][row]));
    }

    /// Writes the columns of [`BYTES`] rows of pixels; `row` gives each, and may be asked again.
    #[inline(always)]
    fn columns<'a>(
        self,
        row: impl Fn(usize) -> &'a [u8; GROUP],
        columns: [&mut [u8; BYTES]; GROUP],
    ) {
        for (col, column) in columns.into_iter().enumerate() {
            *column = std::array::from_fn(|number| row(number)[col]);
        }
    }

    /// A bit for each pixel that is not zero, the first one's the lowest.
    #[inline(always)]
    fn inked(self, pixels: &[u8; BYTES]) -> u32 {
        let bits = pixels.iter().zip(0..).map(|(&pixel, bit)| u32::from(pixel != 0) << bit);
        bits.fold(0, |inked, bit| inked | bit)
    }

    /// Writes the numbers that are not zero to the start of `to`; returns how many. What is
    /// after them in `to` is unspecified. `first` is the column of the first within its
    /// block.
    #[inline(always)]
    fn keep_numbers(self, from: &[f32; GROUP], first: u32, to: &mut [Number; GROUP]) -> usize {
        let mut kept = 0;
        for (column, &value) in (first..).zip(from) {
            // To the next place, which is used again if it is not kept: no branch to guess.
            to[kept] = Number { column, value };
            kept += usize::from(value != 0.0);
        }
        kept
    }

    /// Writes the columns of the numbers that are not zero to the start of `to`; the same else.
    #[inline(always)]
    fn keep_columns(self, from: &[f32; GROUP], first: u32, to: &mut [u32; GROUP]) -> usize {
        let mut kept = 0;
        for (column, &value) in (first..).zip(from) {
            to[kept] = column;
            kept += usize::from(value != 0.0);
        }
        kept
    }

    /// The same of pixels; `first` is the column of the first one within its block.
    ///
    /// # Panics
    /// If `to` has not a place for each.
    #[inline(always)]
    fn keep_pixels(self, from: &[[u8; GROUP]], first: u8, to: &mut [Pixel]) -> usize {
        let mut kept = 0;
        for (column, &pixel) in (first..=u8::MAX).zip(from.as_flattened()) {
            to[kept] = Pixel { column, pixel };
            kept += usize::from(pixel != 0);
        }
        kept
    }
}

/// A loop that is written once and compiled for each level.
pub(crate) trait Kernel {
    type Output;

    /// Must be `#[inline(always)]`, as everything that it calls: what is not
    /// inlined is compiled for the portable level.
    fn run<S: Simd>(self, simd: S) -> Self::Output;
}

/// Any processor.
#[derive(Clone, Copy)]
pub(crate) struct Portable;

impl Simd for Portable {
    type Vector = [f32; 8];
    type PixelScale = ();
    const LANES: usize = 8;
    // 16 of the 32 vector registers of aarch64.
    const TILE_ROWS: usize = 4;
    const TILE_VECTORS: usize = 2;

    #[inline(always)]
    fn splat(self, value: f32) -> [f32; 8] {
        [value; 8]
    }

    #[inline(always)]
    fn load(self, from: &[f32]) -> [f32; 8] {
        *from.first_chunk().expect("values for each lane")
    }

    #[inline(always)]
    fn store(self, vector: [f32; 8], to: &mut [f32]) {
        *to.first_chunk_mut().expect("places for each lane") = vector;
    }

    #[inline(always)]
    fn mul_add(self, a: [f32; 8], b: [f32; 8], c: [f32; 8]) -> [f32; 8] {
        std::array::from_fn(|lane| a[lane].mul_add(b[lane], c[lane]))
    }

    #[inline(always)]
    fn pixel_scale(self) {}

    #[inline(always)]
    fn load_pixels(self, from: &[u8], (): ()) -> [f32; 8] {
        let from: [u8; 8] = *from.first_chunk().expect("pixels for each lane");
        from.map(|pixel| NUMBERS[usize::from(pixel)])
    }
}

#[cfg(target_arch = "x86_64")]
pub(crate) use x86_64::{Avx2, Avx512};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::level::Level;

    #[test]
    fn pixels_are_divided_by_255() {
        struct Load([u8; GROUP]);

        impl Kernel for Load {
            type Output = [f32; GROUP];

            #[inline(always)]
            fn run<S: Simd>(self, simd: S) -> [f32; GROUP] {
                let mut numbers = [0.0; GROUP];
                for lane in (0..GROUP).step_by(S::LANES) {
                    let pixels = simd.load_pixels(&self.0[lane..], simd.pixel_scale());
                    simd.store(pixels, &mut numbers[lane..]);
                }
                numbers
            }
        }

        for level in Level::available() {
            for first in (0..=u8::MAX).step_by(GROUP) {
                let pixels = std::array::from_fn(|lane| first + lane as u8);
                let expected = pixels.map(|pixel| (f32::from(pixel) / 255.0).to_bits());
                assert_eq!(level.run(Load(pixels)).map(f32::to_bits), expected, "{level}");
            }
        }
    }

    #[test]
    fn columns_of_pixels_are_those_of_their_rows() {
        struct Columns([[u8; GROUP]; BYTES]);

        impl Kernel for Columns {
            type Output = ([[u8; BYTES]; GROUP], [u32; GROUP]);

            #[inline(always)]
            fn run<S: Simd>(self, simd: S) -> Self::Output {
                let mut columns = [[1; BYTES]; GROUP];
                simd.columns(|number| &self.0[number], columns.each_mut());
                (columns, columns.each_ref().map(|column| simd.inked(column)))
            }
        }

        // Each differs from those beside it, and one in eight is zero.
        let pixel = |row: usize, col: usize| {
            (row * GROUP + col) as u8 & if row % 8 == col % 8 { 0 } else { 0xff }
        };
        let rows = std::array::from_fn(|row| std::array::from_fn(|col| pixel(row, col)));
        let columns: [[u8; BYTES]; GROUP] =
            std::array::from_fn(|col| std::array::from_fn(|row| pixel(row, col)));
        let inked = columns.map(|column| {
            column.iter().rev().fold(0, |inked, &pixel| inked << 1 | u32::from(pixel > 0))
        });
        for level in Level::available() {
            assert_eq!(level.run(Columns(rows)), (columns, inked), "{level}");
        }
    }

    #[test]
    fn rows_and_columns_are_exchanged() {
        struct Transpose([[f32; GROUP]; GROUP]);

        impl Kernel for Transpose {
            type Output = [[f32; GROUP]; GROUP];

            #[inline(always)]
            fn run<S: Simd>(mut self, simd: S) -> [[f32; GROUP]; GROUP] {
                simd.transpose(&mut self.0);
                self.0
            }
        }

        let number = |row: usize, col: usize| (row * GROUP + col) as f32;
        let square = std::array::from_fn(|row| std::array::from_fn(|col| number(row, col)));
        let expected = std::array::from_fn(|row| std::array::from_fn(|col| number(col, row)));
        for level in Level::available() {
            assert_eq!(level.run(Transpose(square)), expected, "{level}");
        }
    }
}
