//! Training by gradient descent.
//!
//! The images are shuffled for each epoch and cut into batches. For each batch
//! the gradient of the mean loss is computed by back-propagation (see
//! [`Dense`](crate::Dense)), and the [`Optimizer`](crate::Optimizer) takes a step
//! with the learning rate of the [`Schedule`]. A batch size of at least the number
//! of images is full-batch gradient descent, for which nothing is shuffled: images with
//! ink at the same places are neighbours.
//!
//! [`Network::train`] runs to the end. A [`Trainer`] goes epoch by epoch, and its
//! state can be kept: see [`Trainer::save`].
//!
//! Images labelled [`NO_CLASS`](crate::NO_CLASS) are trained to give the same
//! probability to each class, so that the network is unsure of what it does not
//! know (outlier exposure). [`outliers`](crate::outliers::outliers) draws some.
//!
//! For one seed, configuration and dataset the weights are the same to the last
//! bit, on any number of threads, at any [`Level`], on every machine.

mod augmented;
mod batch;
mod checkpoint;
mod config;
mod schedule;

use std::fmt;
use std::ops::ControlFlow;
use std::sync::OnceLock;
use std::time::Instant;

pub use config::TrainConfig;
pub use schedule::Schedule;

use crate::dataset::Dataset;
use crate::descent::Descent;
use crate::error::{Error, Result};
use crate::kernel::level::Level;
use crate::kernel::parallel::available_threads;
use crate::kernel::step::Step;
use crate::kernel::tiles::Slot;
use crate::loss::Loss;
use crate::network::Network;
use crate::rng::Rng;
use crate::train::augmented::Augmented;
use crate::train::batch::{Batch, order_by_ink};

/// What an epoch brought.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Epoch {
    /// Its number, counted from 1.
    pub number: usize,
    /// The mean loss over all training images, in nats, each taken before the
    /// step that used it.
    pub loss: f64,
    /// The share of training images that were right before the step that used
    /// them, 0 to 1, of those that have a class; 0 where none has.
    pub accuracy: f64,
    /// The share of validation images that are right after the epoch, 0 to 1,
    /// where there are some. Where weights are averaged, it is the average's.
    pub validation_accuracy: Option<f64>,
    /// How long the epoch took, with its validation, in seconds.
    pub seconds: f64,
}

impl Network {
    /// Trains on labelled images, and returns what each epoch brought.
    ///
    /// `on_epoch` is called after each epoch; [`ControlFlow::Break`] ends the
    /// training there, with the network as it is then.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    /// use digit_recognizer::{Activation, Dataset, Images, Network, TrainConfig};
    ///
    /// // Two pictures of 1 x 2 pixels: ink on the left is a 0, on the right a 1.
    /// let images = Images::new(1, 2, vec![255, 0, 0, 255])?;
    /// let dataset = Dataset::new(images, vec![0, 1])?;
    /// let mut network = Network::new(&[2, 8, 2], Activation::Relu, 1)?;
    /// let config = TrainConfig { epochs: 50, ..Default::default() };
    /// network.train(&dataset, None, &config, |epoch| {
    ///     println!("{}: loss {:.3}", epoch.number, epoch.loss);
    ///     ControlFlow::Continue(())
    /// })?;
    /// assert_eq!(network.predict(&[1.0, 0.0]).digit(), 0);
    /// # Ok::<(), digit_recognizer::Error>(())
    /// ```
    ///
    /// # Errors
    /// - [`Error::InvalidConfig`] if a setting is outside its range
    /// - [`Error::Mismatch`] if a dataset does not fit the network, or there is
    ///   no training image
    /// - [`Error::Diverged`] if the loss, or a weight at the end of an epoch, is
    ///   infinite or NaN; the network is then as it was before that epoch
    pub fn train(
        &mut self,
        training: &Dataset,
        validation: Option<&Dataset>,
        config: &TrainConfig,
        mut on_epoch: impl FnMut(&Epoch) -> ControlFlow<()>,
    ) -> Result<Vec<Epoch>> {
        let mut trainer = Trainer::new(self.clone(), training, validation, config)?;
        let outcome = loop {
            match trainer.next_epoch() {
                Ok(Some(epoch)) if on_epoch(&epoch).is_continue() => {}
                Ok(_) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        let history = std::mem::take(&mut trainer.history);
        *self = trainer.into_network();
        outcome.map(|()| history)
    }
}

/// A training, epoch by epoch.
///
/// ```
/// use digit_recognizer::train::Trainer;
/// use digit_recognizer::{Activation, Dataset, Images, Network, TrainConfig};
///
/// let images = Images::new(1, 2, vec![255, 0, 0, 255])?;
/// let dataset = Dataset::new(images, vec![0, 1])?;
/// let network = Network::new(&[2, 8, 2], Activation::Relu, 1)?;
/// let config = TrainConfig { epochs: 50, ..Default::default() };
/// let mut trainer = Trainer::new(network, &dataset, None, &config)?;
/// while let Some(epoch) = trainer.next_epoch()? {
///     println!("{}: loss {:.3}", epoch.number, epoch.loss);
/// }
/// let network = trainer.into_network();
/// # Ok::<(), digit_recognizer::Error>(())
/// ```
pub struct Trainer<'a> {
    training: &'a Dataset,
    validation: Option<&'a Dataset>,
    config: TrainConfig,
    descent: Descent,
    augmented: Option<Augmented>,
    /// The network after the last epoch, averaged where that is asked for.
    network: Network,
    /// The one that was best on the validation images, where `patience` is set.
    best: Option<Network>,
    history: Vec<Epoch>,
    has_failed: bool,
    /// Training images that have a class.
    labelled: usize,
    /// The order of the images in an epoch.
    order: Vec<usize>,
    /// What a checkpoint says of this training, once it was asked for: all images
    /// are read for it.
    settings: OnceLock<String>,
}

impl<'a> Trainer<'a> {
    /// Prepares to train a network.
    ///
    /// # Errors
    /// - [`Error::InvalidConfig`] if a setting is outside its range, or it has a
    ///   `patience` and there are no validation images
    /// - [`Error::Mismatch`] if a dataset does not fit the network, or there is
    ///   no training image
    pub fn new(
        network: Network,
        training: &'a Dataset,
        validation: Option<&'a Dataset>,
        config: &TrainConfig,
    ) -> Result<Self> {
        config.check()?;
        network.check_training(training)?;
        validation.map_or(Ok(()), |dataset| network.check_dataset(dataset))?;
        if training.is_empty() {
            return Err(Error::Mismatch {
                what: "training images",
                expected: "at least one".to_owned(),
                found: "none".to_owned(),
            });
        }
        if config.patience.is_some() && validation.is_none_or(Dataset::is_empty) {
            return Err(Error::InvalidConfig {
                field: "patience",
                expected: "none without validation images",
                found: format!("{:?}", config.patience),
            });
        }
        let classes = network.classes();
        let has_class = |&&label: &&u8| usize::from(label) < classes;
        let threads = if config.threads == 0 { available_threads() } else { config.threads };
        let level = config.level.unwrap_or_else(Level::best);
        let mut descent =
            Descent::new(network.layers(), config.optimizer.has_variance(), threads, level);
        Ok(Self {
            training,
            validation,
            config: *config,
            augmented: config.augmentation.map(|augmentation| {
                Augmented::new(augmentation, training, descent.pool().threads(), level)
            }),
            descent,
            network,
            best: None,
            // Room for any sensible number of epochs, so that an epoch allocates nothing.
            history: Vec::with_capacity(config.epochs.min(1_024)),
            has_failed: false,
            labelled: training.labels().iter().filter(has_class).count(),
            order: Vec::with_capacity(training.len()),
            settings: OnceLock::new(),
        })
    }

    /// The network as it would be if training ended now.
    pub fn network(&self) -> &Network {
        self.best.as_ref().unwrap_or(&self.network)
    }

    /// Ends the training.
    pub fn into_network(self) -> Network {
        self.best.unwrap_or(self.network)
    }

    /// What each epoch so far brought.
    pub fn history(&self) -> &[Epoch] {
        &self.history
    }

    /// Whether all epochs are done, or it was given up.
    fn is_finished(&self) -> bool {
        let done = self.history.len();
        self.has_failed
            || done >= self.config.epochs
            || self.config.patience.is_some_and(|patience| done - self.best_epoch() >= patience)
    }

    /// The number of the first epoch with the best validation accuracy, 0 before
    /// the first.
    fn best_epoch(&self) -> usize {
        let mut best = (0, -1.0);
        for epoch in &self.history {
            let accuracy = epoch.validation_accuracy.unwrap_or(0.0);
            if accuracy > best.1 {
                best = (epoch.number, accuracy);
            }
        }
        best.0
    }

    /// Trains for one epoch; `None` where training is over.
    ///
    /// # Errors
    /// [`Error::Diverged`] if the loss, or a weight at the end of the epoch, is
    /// infinite or NaN; the network then stays as it was, and training is over.
    pub fn next_epoch(&mut self) -> Result<Option<Epoch>> {
        if self.is_finished() {
            return Ok(None);
        }
        let start = Instant::now();
        let number = self.history.len() + 1;
        let loss = self.take_steps(number).inspect_err(|_| self.has_failed = true)?;
        self.update_network(number);
        let validation_accuracy = match self.validation {
            Some(dataset) => Some(self.network.evaluate(dataset)?.accuracy()),
            None => None,
        };
        let epoch = Epoch {
            number,
            loss: loss.sum / self.training.len() as f64,
            accuracy: loss.correct as f64 / self.labelled.max(1) as f64,
            validation_accuracy,
            seconds: start.elapsed().as_secs_f64(),
        };
        self.history.push(epoch);
        if self.config.patience.is_some() && self.best_epoch() == number {
            self.best = Some(self.network.clone());
        }
        Ok(Some(epoch))
    }

    /// The steps of an epoch; returns the loss of its images.
    fn take_steps(&mut self, number: usize) -> Result<Loss> {
        let config = &self.config;
        let epoch_steps = self.training.len().div_ceil(config.batch_size);
        let steps = config.epochs.saturating_mul(epoch_steps);
        let warm_up = (f64::from(config.warm_up) * steps as f64) as usize;
        if epoch_steps > 1 {
            self.order.clear();
            self.order.extend(0..self.training.len());
            Rng::with_stream(config.seed, number as u64).shuffle(&mut self.order);
        } else if self.order.is_empty() {
            self.order = order_by_ink(self.training.images());
        }

        let mut epoch_loss = Loss::default();
        for index in 0..epoch_steps {
            let done = (number - 1) * epoch_steps + index;
            let learning_rate = config.learning_rate * config.schedule.at(done, steps, warm_up);
            let step = Step {
                rule: config.optimizer.rule(done + 1),
                learning_rate,
                keep: 1.0 - learning_rate * config.weight_decay,
                gradient_scale: 1.0,
            };
            let batch = Batch {
                order: &self.order[index * config.batch_size..],
                batch_size: config.batch_size,
                dataset: self.training,
                epoch: number as u64,
                recurs: epoch_steps == 1 && self.augmented.is_none(),
            };
            let loss = batch.take_step(&mut self.descent, &mut self.augmented, config, step);
            if !loss.sum.is_finite() {
                return Err(Error::Diverged { epoch: number, step: index + 1 });
            }
            epoch_loss += loss;
        }
        // The next loss would show it, but there may be none.
        if !self.descent.is_finite() {
            return Err(Error::Diverged { epoch: number, step: epoch_steps });
        }
        Ok(epoch_loss)
    }

    /// Takes the weights over after an epoch, or into the average.
    fn update_network(&mut self, number: usize) {
        let others = self.config.epochs - number;
        let first = self.config.averaged_epochs.saturating_sub(others + 1);
        let averaged = self.config.averaged_epochs.saturating_sub(others);
        if first == 0 {
            self.descent.copy_to(Slot::Values, self.network.layers_mut());
            return;
        }
        let mut latest = self.network.clone();
        self.descent.copy_to(Slot::Values, latest.layers_mut());
        for (mean, latest) in self.network.layers_mut().iter_mut().zip(latest.layers()) {
            let (weights, bias) = mean.parameters_mut();
            let means = weights.as_mut_slice().iter_mut().chain(bias);
            let latest = latest.weights().as_slice().iter().chain(latest.bias());
            for (mean, latest) in means.zip(latest) {
                *mean += (latest - *mean) / averaged as f32;
            }
        }
    }
}

impl fmt::Debug for Trainer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trainer")
            .field("config", &self.config)
            .field("epochs", &self.history.len())
            .finish_non_exhaustive()
    }
}
