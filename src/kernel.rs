//! The compute kernels: the one room with instruction-set code, threads, and
//! everything `unsafe`.
//!
//! - [`level`]: which instruction set, chosen at run time
//! - [`simd`]: the few operations that differ between them
//! - [`gemm`]: the product of two dense matrices, for [`Matrix`](crate::Matrix)
//! - [`entry`], [`sparse`]: rows without their zeros; [`columns`]: columns of images with bits
//!   that tell where there is ink; [`strips`]: both of a chunk of images
//! - [`tiles`], [`products`], [`gradients`]: a layer's weights, the forward pass and the
//!   gradient, which pass over zeros; [`panels`]: both, and the errors, of a narrow layer
//!   after the first, where that is not worth it; [`width`]: loops over their rows
//! - [`recurring`]: both, of the first layer, where it is narrow and each step sees the
//!   same images
//! - [`row`]: products of one row, for a single prediction
//! - [`step`]: the step of gradient descent
//! - [`parallel`]: tasks on all cores
//! - [`prefetch`], [`aligned`]: memory
//!
//! The loops are written once, generic over [`simd::Simd`], and compiled for each
//! level. They are vectorised over the columns of a result and never over a
//! summed index: each element is one chain of fused multiply-adds in one order,
//! so the result has the same bits at any level and on any number of threads.

#![allow(unsafe_code)]

pub(crate) mod aligned;
pub(crate) mod columns;
pub(crate) mod entry;
pub(crate) mod gemm;
pub(crate) mod gradients;
pub(crate) mod level;
pub(crate) mod panels;
pub(crate) mod parallel;
pub(crate) mod prefetch;
pub(crate) mod products;
pub(crate) mod recurring;
pub(crate) mod row;
pub(crate) mod simd;
pub(crate) mod sparse;
pub(crate) mod step;
pub(crate) mod strips;
pub(crate) mod tiles;
mod width;
