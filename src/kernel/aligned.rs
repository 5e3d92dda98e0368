//! Floats that start at a cache line.

use std::ops::{Deref, DerefMut};

/// Bytes, and floats, of a cache line.
const LINE_BYTES: usize = 64;
const LINE: usize = 16;

/// A buffer of floats whose first one is at the start of a cache line, so that
/// no vector load of an aligned row touches two lines.
#[derive(Default)]
pub(crate) struct Aligned {
    /// Up to a line of floats more than `len`, of which some are in front.
    floats: Vec<f32>,
    start: usize,
    len: usize,
}

impl Aligned {
    pub(crate) fn zeros(len: usize) -> Self {
        let floats = vec![0.0; len + LINE];
        let start = floats.as_ptr().align_offset(LINE_BYTES).min(LINE);
        Self { floats, start, len }
    }

    /// Another length; the memory is used again, and old values are unspecified.
    pub(crate) fn resize(&mut self, len: usize) {
        if len + LINE > self.floats.len() {
            *self = Self::zeros(len);
        }
        self.len = len;
    }
}

impl Clone for Aligned {
    fn clone(&self) -> Self {
        let mut copy = Self::zeros(self.len);
        copy.copy_from_slice(self);
        copy
    }
}

impl Deref for Aligned {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        self.floats.get(self.start..self.start + self.len).unwrap_or_default()
    }
}

impl DerefMut for Aligned {
    fn deref_mut(&mut self) -> &mut [f32] {
        self.floats.get_mut(self.start..self.start + self.len).unwrap_or_default()
    }
}
