//! The options of the command.

use std::path::PathBuf;

use crate::shared::StorageName;
use clap::{Args, Parser, ValueEnum};
use digit_recognizer::{Augmentation, Optimizer, Schedule, TrainConfig};

/// Trains a network and writes it to a file.
///
/// Beside my.digits go two pictures: my-curve.svg, how loss and accuracy
/// changed, and my-confusion.svg, which digits were taken for which.
#[derive(Parser)]
#[command(after_help = "Examples:
  cargo run --release --example train -- --out my.digits
  cargo run --release --example train -- --data train.csv --layers 784,128,64,10 --out my.digits
  cargo run --release --example train -- --data DIR --augment --schedule cosine --epochs 100 \\
      --layers 784,800,10 --checkpoint my.run --out my.digits")]
pub(crate) struct Options {
    /// A folder with MNIST's four files, or Kaggle's train.csv
    /// [default: the small sample of MNIST that comes with this project]
    #[arg(long, value_name = "DIR|train.csv")]
    pub(crate) data: Option<PathBuf>,

    /// Pen strokes to train on as well, in a file of UNIPEN text
    #[arg(long, value_name = "FILE")]
    pub(crate) strokes: Option<PathBuf>,

    /// The pens that each digit of the strokes is drawn with, in pixels
    #[arg(long, value_name = "X,...", value_delimiter = ',', default_value = "2,3")]
    pub(crate) pen_widths: Vec<f32>,

    /// Images of no digit to train on as well, so that the network answers them
    /// with little confidence
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) outliers: usize,

    /// Go on with the network in this file, in place of a new one
    #[arg(long, value_name = "FILE", conflicts_with = "layers")]
    pub(crate) start: Option<PathBuf>,

    /// Inputs, outputs of each hidden layer, and classes
    #[arg(long, value_name = "N,...", value_delimiter = ',', default_value = "784,256,10")]
    pub(crate) layers: Vec<usize>,

    /// How often each image is seen
    #[arg(long, value_name = "N", default_value_t = TrainConfig::default().epochs)]
    epochs: usize,

    /// Images in a step
    #[arg(long, value_name = "N", default_value_t = TrainConfig::default().batch_size)]
    batch_size: usize,

    /// How a step follows from the gradient
    #[arg(long, value_enum, default_value = "sgd")]
    optimizer: OptimizerName,

    /// The share of the last step that the next one keeps, 0 to below 1; for sgd
    #[arg(long, value_name = "X", allow_negative_numbers = true, default_value_t = 0.9)]
    momentum: f32,

    /// The length of a step, above 0
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    #[arg(default_value_t = TrainConfig::default().learning_rate)]
    learning_rate: f32,

    /// How the learning rate changes
    #[arg(long, value_enum, default_value = "linear")]
    schedule: ScheduleName,

    /// The share of the steps in which the learning rate rises first
    #[arg(long, value_name = "X", allow_negative_numbers = true, default_value_t = 0.0)]
    warm_up: f32,

    /// The share of the learning rate that each step takes from each weight
    #[arg(long, value_name = "X", allow_negative_numbers = true, default_value_t = 0.0)]
    weight_decay: f32,

    /// Shorten gradients that are longer than this
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    clip_norm: Option<f32>,

    /// The share of each target that is spread over all classes
    #[arg(long, value_name = "X", allow_negative_numbers = true, default_value_t = 0.0)]
    label_smoothing: f32,

    /// The share of hidden outputs that each step leaves out
    #[arg(long, value_name = "X", allow_negative_numbers = true, default_value_t = 0.0)]
    dropout: f32,

    /// Write the mean of the weights of the last N epochs
    #[arg(long, value_name = "N", default_value_t = 0)]
    averaged_epochs: usize,

    /// Stop after N epochs that did not help on the validation images
    #[arg(long, value_name = "N")]
    patience: Option<usize>,

    #[command(flatten)]
    augmentation: AugmentationOptions,

    /// Decides the first weights, the order of the images and how each is changed
    #[arg(long, value_name = "N", default_value_t = TrainConfig::default().seed)]
    pub(crate) seed: u64,

    /// Threads; the result is the same [default: one for each core]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    threads: usize,

    /// Keep the last N images out of training, to measure after each epoch
    /// [default: 5000, or a tenth of the images if that is less]
    #[arg(long, value_name = "N")]
    pub(crate) validation: Option<usize>,

    /// Keep the strokes of the last N writers out of training as well
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) validation_writers: usize,

    /// Keep the state in this file after each epoch, and go on from it
    #[arg(long, value_name = "FILE")]
    pub(crate) checkpoint: Option<PathBuf>,

    /// Make the probabilities true on the validation images, by a temperature
    #[arg(long)]
    pub(crate) calibrate: bool,

    /// How the file holds a weight
    #[arg(long, value_enum, default_value = "f32")]
    pub(crate) storage: StorageName,

    /// The file to write, such as my.digits
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

/// How images are changed in each epoch; see the module `augment`.
#[derive(Args)]
struct AugmentationOptions {
    /// Change the images in each epoch: by default as Cireşan and others (2010)
    #[arg(long)]
    augment: bool,

    /// Degrees of rotation either way
    #[arg(long, value_name = "X", requires = "augment", allow_negative_numbers = true)]
    rotation: Option<f32>,

    /// Degrees of slant either way
    #[arg(long, value_name = "X", requires = "augment", allow_negative_numbers = true)]
    shear: Option<f32>,

    /// The share by which digits become larger or smaller
    #[arg(long, value_name = "X", requires = "augment", allow_negative_numbers = true)]
    scaling: Option<f32>,

    /// Pixels of shift either way
    #[arg(long, value_name = "X", requires = "augment", allow_negative_numbers = true)]
    shift: Option<f32>,

    /// The strength of the elastic field, in pixels
    #[arg(long, value_name = "X", requires = "augment", allow_negative_numbers = true)]
    alpha: Option<f32>,

    /// How smooth the elastic field is, in pixels
    #[arg(long, value_name = "X", requires = "augment", allow_negative_numbers = true)]
    sigma: Option<f32>,

    /// Pixels by which strokes become thicker or thinner
    #[arg(long, value_name = "X", requires = "augment", allow_negative_numbers = true)]
    stroke: Option<f32>,
}

#[derive(Clone, Copy, ValueEnum)]
enum OptimizerName {
    /// Gradient descent with momentum
    Sgd,
    /// Adam; with a weight decay, AdamW
    Adam,
}

#[derive(Clone, Copy, ValueEnum)]
enum ScheduleName {
    /// It stays
    Constant,
    /// It falls in a straight line to 0
    Linear,
    /// It falls along half a cosine to 0
    Cosine,
    /// It rises for the first 30 % of the steps, and falls to 0
    OneCycle,
}

impl Options {
    pub(crate) fn config(&self) -> TrainConfig {
        TrainConfig {
            epochs: self.epochs,
            batch_size: self.batch_size,
            optimizer: match self.optimizer {
                OptimizerName::Sgd => Optimizer::Sgd { momentum: self.momentum },
                OptimizerName::Adam => Optimizer::ADAM,
            },
            learning_rate: self.learning_rate,
            schedule: match self.schedule {
                ScheduleName::Constant => Schedule::Constant,
                ScheduleName::Linear => Schedule::Linear,
                ScheduleName::Cosine => Schedule::Cosine,
                ScheduleName::OneCycle => Schedule::OneCycle,
            },
            warm_up: self.warm_up,
            weight_decay: self.weight_decay,
            clip_norm: self.clip_norm,
            label_smoothing: self.label_smoothing,
            dropout: self.dropout,
            averaged_epochs: self.averaged_epochs,
            patience: self.patience,
            augmentation: self.augmentation.get(),
            seed: self.seed,
            threads: self.threads,
            ..TrainConfig::default()
        }
    }
}

impl AugmentationOptions {
    fn get(&self) -> Option<Augmentation> {
        let default = Augmentation::default();
        self.augment.then(|| Augmentation {
            rotation: self.rotation.unwrap_or(default.rotation),
            shear: self.shear.unwrap_or(default.shear),
            scaling: self.scaling.unwrap_or(default.scaling),
            shift: self.shift.unwrap_or(default.shift),
            alpha: self.alpha.unwrap_or(default.alpha),
            sigma: self.sigma.unwrap_or(default.sigma),
            stroke: self.stroke.unwrap_or(default.stroke),
        })
    }
}
