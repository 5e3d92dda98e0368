//! What lists of rows without their zeros are made of.

/// Columns that are looked at together: the bytes of a vector of SSE, the numbers of one
/// of AVX-512.
pub(crate) const GROUP: usize = 16;

/// What pixels stand for.
pub(crate) const NUMBERS: [f32; 256] = {
    let mut numbers = [0.0; 256];
    let mut pixel = 0;
    while pixel < 256 {
        numbers[pixel] = pixel as f32 / 255.0;
        pixel += 1;
    }
    numbers
};

/// What a list has of a column in which its row is not zero.
pub(crate) trait Entry: Copy + Default {
    /// The column within its block.
    fn column(self) -> usize;

    /// The row's value there.
    fn value(self) -> f32;
}

/// A number.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub(crate) struct Number {
    pub(crate) column: u32,
    pub(crate) value: f32,
}

impl Entry for Number {
    #[inline(always)]
    fn column(self) -> usize {
        self.column as usize
    }

    #[inline(always)]
    fn value(self) -> f32 {
        self.value
    }
}

/// A pixel, 0 to 255 for 0 to 1.
#[derive(Clone, Copy, Default)]
#[repr(C, align(2))]
pub(crate) struct Pixel {
    pub(crate) column: u8,
    pub(crate) pixel: u8,
}

impl Entry for Pixel {
    #[inline(always)]
    fn column(self) -> usize {
        usize::from(self.column)
    }

    #[inline(always)]
    fn value(self) -> f32 {
        NUMBERS[usize::from(self.pixel)]
    }
}
