//! Predicting: the forward pass, and the most probable class.
//!
//! A network's weights do not change between two predictions, so a
//! [`Predictor`] packs them once, in the order in which the products read them,
//! and keeps its buffers and threads. After the first call with as many images,
//! a prediction allocates nothing.

use std::fmt;

use crate::confusion_matrix::ConfusionMatrix;
use crate::dataset::{Dataset, Images};
use crate::error::Result;
use crate::kernel::level::Level;
use crate::kernel::parallel::available_threads;
use crate::kernel::row::AddRowProduct;
use crate::loss::{argmax, softmax};
use crate::matrix::Matrix;
use crate::network::{Network, check_images};
use crate::pass::{CHUNK, Packed, Pass, RowPass, Value};
use crate::prediction::Prediction;

/// A network that is packed for prediction.
///
/// One image, or the same image among many, on any number of threads and at any
/// [`Level`]: the answer has the same bits.
///
/// ```
/// use digit_recognizer::{Activation, Network, Predictor};
///
/// let network = Network::new(&[784, 128, 10], Activation::Relu, 42)?;
/// let mut predictor = Predictor::new(&network, 1);
/// for image in [[0.0; 784], [0.5; 784]] {
///     let probabilities = predictor.predict(&image);
///     assert_eq!(probabilities.len(), 10);
/// }
/// # Ok::<(), digit_recognizer::Error>(())
/// ```
pub struct Predictor {
    packed: Packed,
    pass: Pass,
    row: RowPass,
    temperature: f32,
}

impl Predictor {
    /// Packs a network, to answer on `threads` threads (1 to 1024) at the best
    /// level. One image alone is answered on the caller's.
    pub fn new(network: &Network, threads: usize) -> Self {
        Self::with_level(network, threads, Level::best())
    }

    /// As [`new`](Self::new), at another level.
    ///
    /// # Panics
    /// If the processor has not this level.
    pub fn with_level(network: &Network, threads: usize, level: Level) -> Self {
        assert!(level.is_available(), "a processor with the level {level}");
        let packed = Packed::in_panels(network.layers());
        let (pass, row) = (Pass::new(&packed, threads, level), RowPass::new(&packed));
        Self { packed, pass, row, temperature: network.temperature() }
    }

    /// The probability of each class for one image, whose values are 0 (paper)
    /// to 1 (ink). Of an infinite value or NaN they may be NaN.
    ///
    /// # Panics
    /// If `image` has not the network's number of inputs.
    pub fn predict(&mut self, image: &(impl AsRef<[f32]> + ?Sized)) -> &[f32] {
        let image = image.as_ref();
        assert_eq!(image.len(), self.packed.inputs(), "values of an image for the inputs");
        let answers = self.row.forward(&self.packed, self.pass.level, image);
        softmax(answers, self.temperature);
        answers
    }

    /// The probabilities for many images.
    ///
    /// # Shapes
    /// - `images`: (images, inputs), each value 0 (paper) to 1 (ink)
    /// - `probabilities`: becomes (images, classes)
    ///
    /// # Panics
    /// If `images` has not the network's number of inputs as columns.
    pub fn predict_batch(&mut self, images: &Matrix, probabilities: &mut Matrix) {
        assert_eq!(images.cols(), self.packed.inputs(), "columns of the images for the inputs");
        self.predict_rows(images.rows(), probabilities, |image| images.row(image));
    }

    /// The probabilities for images that are one byte a pixel.
    ///
    /// # Shapes
    /// - `probabilities`: becomes (images, classes)
    ///
    /// # Errors
    /// [`Error::Mismatch`](crate::Error::Mismatch) if the images have another
    /// number of pixels than the network has inputs.
    pub fn predict_images(&mut self, images: &Images, probabilities: &mut Matrix) -> Result<()> {
        check_images(images, self.packed.inputs())?;
        self.predict_rows(images.len(), probabilities, |image| images.image(image));
        Ok(())
    }

    /// The logits of each image, in order, for [`calibration`](crate::calibration).
    pub(crate) fn logits(&mut self, images: &Images) -> Result<Matrix> {
        check_images(images, self.packed.inputs())?;
        let mut logits = Matrix::default();
        self.answer_rows(images.len(), &mut logits, |image| images.image(image), |_| ());
        Ok(logits)
    }

    fn predict_rows<'a, V: Value + 'a>(
        &mut self,
        images: usize,
        probabilities: &mut Matrix,
        image: impl Fn(usize) -> &'a [V] + Sync,
    ) {
        let temperature = self.temperature;
        let finish = |logits: &mut [f32]| softmax(logits, temperature);
        self.answer_rows(images, probabilities, image, finish);
    }

    /// Fills `answers` with what `finish` makes of each image's logits.
    fn answer_rows<'a, V: Value + 'a>(
        &mut self,
        images: usize,
        answers: &mut Matrix,
        image: impl Fn(usize) -> &'a [V] + Sync,
        finish: impl Fn(&mut [f32]) + Sync,
    ) {
        let classes = self.packed.classes();
        answers.resize(images, classes);
        for first in (0..images).step_by(CHUNK) {
            let count = CHUNK.min(images - first);
            self.pass.forward(&self.packed, count, |number| image(first + number), &finish);
            self.pass.for_each_answer(classes, |image, found| {
                answers.row_mut(first + image).copy_from_slice(found);
            });
        }
    }
}

impl Network {
    /// A predictor: this network, packed for answering many times.
    pub fn predictor(&self) -> Predictor {
        Predictor::new(self, 1)
    }

    /// The answer for one image. Where there are many, a
    /// [`predictor`](Self::predictor) is faster.
    ///
    /// `image` has the network's inputs, each 0 (paper) to 1 (ink): a
    /// [`DigitImage`](crate::DigitImage), or any slice.
    ///
    /// # Panics
    /// If `image` has not [`inputs`](Self::inputs) values.
    pub fn predict(&self, image: &(impl AsRef<[f32]> + ?Sized)) -> Prediction {
        let mut values = image.as_ref().to_vec();
        assert_eq!(values.len(), self.inputs(), "values of an image for the inputs");
        for layer in self.layers() {
            let mut sums = vec![0.0; layer.outputs()];
            let weights = layer.weights().as_slice();
            Level::best().run(AddRowProduct { inputs: &values, weights, sums: &mut sums });
            sums.iter_mut().zip(layer.bias()).for_each(|(sum, bias)| *sum += bias);
            layer.activation().forward(&mut sums);
            values = sums;
        }
        softmax(&mut values, self.temperature());
        Prediction::new(values)
    }

    /// The probabilities for many images.
    ///
    /// # Shapes
    /// - `images`: (images, inputs), each value 0 (paper) to 1 (ink)
    /// - returns: (images, classes), probabilities that sum to 1 in each row
    ///
    /// # Panics
    /// If `images` has not [`inputs`](Self::inputs) columns.
    pub fn predict_batch(&self, images: &Matrix) -> Matrix {
        let mut probabilities = Matrix::default();
        Predictor::new(self, available_threads()).predict_batch(images, &mut probabilities);
        probabilities
    }

    /// The class of each image: the most probable one.
    ///
    /// # Errors
    /// [`Error::Mismatch`](crate::Error::Mismatch) if the images have another
    /// number of pixels than the network has inputs.
    pub fn classify(&self, images: &Images) -> Result<Vec<u8>> {
        let mut probabilities = Matrix::default();
        Predictor::new(self, available_threads()).predict_images(images, &mut probabilities)?;
        // A network has at most 256 classes.
        Ok(probabilities.iter_rows().map(|row| argmax(row) as u8).collect())
    }

    /// Compares the answers with the labels.
    ///
    /// # Errors
    /// [`Error::Mismatch`](crate::Error::Mismatch) if the images have another
    /// number of pixels than the network has inputs, or a label is not below its number of classes.
    pub fn evaluate(&self, dataset: &Dataset) -> Result<ConfusionMatrix> {
        self.check_dataset(dataset)?;
        let mut confusion = ConfusionMatrix::new(self.classes());
        for (&label, answer) in dataset.labels().iter().zip(self.classify(dataset.images())?) {
            confusion.record(usize::from(label), usize::from(answer));
        }
        Ok(confusion)
    }
}

impl fmt::Debug for Predictor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Predictor")
            .field("inputs", &self.packed.inputs())
            .field("classes", &self.packed.classes())
            .finish_non_exhaustive()
    }
}
