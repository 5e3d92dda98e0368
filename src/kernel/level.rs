//! Choosing an instruction set.

use std::fmt;
use std::sync::OnceLock;

#[cfg(target_arch = "x86_64")]
use crate::kernel::simd::{Avx2, Avx512};
use crate::kernel::simd::{Kernel, Portable};

/// An instruction set that the kernels are compiled for.
///
/// The result has the same bits at every level; the levels differ in speed.
/// The best one that the processor has is used, unless the environment variable
/// `DIGITS_LEVEL` names another (`portable`, `avx2` or `avx512`) or
/// [`TrainConfig::level`](crate::TrainConfig) does. A name that is not known, or
/// that the processor does not have, is passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Level {
    /// What every processor of the architecture has. On x86-64 this is without
    /// a fused multiply-add instruction: a function computes it, many times
    /// slower. On aarch64 it is NEON, with one.
    Portable,
    /// x86-64 with AVX2 and FMA (Intel Haswell, AMD Zen, and later).
    Avx2,
    /// x86-64 with AVX-512 F, VL, BW and DQ (Intel Skylake-X, AMD Zen 4, and later).
    Avx512,
}

impl Level {
    /// All levels, the slowest first.
    const ALL: [Self; 3] = [Self::Portable, Self::Avx2, Self::Avx512];

    /// The levels that this processor has, the slowest first.
    pub fn available() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|level| level.is_available())
    }

    /// The level that is used where none is asked for.
    pub fn best() -> Self {
        // The processor and the environment are asked once.
        static BEST: OnceLock<Level> = OnceLock::new();
        *BEST.get_or_init(|| {
            let forced = std::env::var("DIGITS_LEVEL").ok();
            let named = Self::available().find(|level| Some(level.name()) == forced.as_deref());
            named.or(Self::available().last()).unwrap_or(Self::Portable)
        })
    }

    /// Whether this processor has the level.
    pub fn is_available(self) -> bool {
        match self {
            Self::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => Avx2::detect().is_some(),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => Avx512::detect().is_some(),
            #[cfg(not(target_arch = "x86_64"))]
            _ => false,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }

    /// Runs a kernel, compiled for this level.
    ///
    /// # Panics
    /// If the processor has not this level.
    pub(crate) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self {
            Self::Portable => kernel.run(Portable),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => Avx2::detect().expect("a processor with AVX2").run(kernel),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => Avx512::detect().expect("a processor with AVX-512").run(kernel),
            #[cfg(not(target_arch = "x86_64"))]
            _ => panic!("a level of another architecture: {self}"),
        }
    }
}

/// The name that `DIGITS_LEVEL` takes.
impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
