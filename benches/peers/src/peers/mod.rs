//! The same network, trained and used with other crates.
//!
//! Each file has `train(initial, dataset, job) -> Weights` and
//! `predictor(weights) -> Predictor`; where the crate has them, its own loss and
//! optimiser are used.

pub mod burn;
pub mod candle;
pub mod ndarray;
pub mod tract;
