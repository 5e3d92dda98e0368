//! By hand on `ndarray`, whose products are those of `matrixmultiply`: every
//! buffer is kept, every update is in place, and the step of the momentum is
//! part of the product that computes the gradient.

use ndarray::linalg::general_mat_mul;
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, ArrayViewMut1, ArrayViewMut2, Axis, Zip, s};

use crate::job::{Batches, Job, Predictor, Weights};
use crate::ours::Dataset;

struct Layer {
    weights: Array2<f32>,
    bias: Array1<f32>,
}

impl Layer {
    fn new(inputs: usize, outputs: usize, weights: &[f32], bias: &[f32]) -> Self {
        let weights = ArrayView2::from_shape((inputs, outputs), weights).expect("the layer's size");
        Self { weights: weights.to_owned(), bias: ArrayView1::from(bias).to_owned() }
    }

    fn pair(weights: &Weights) -> [Self; 2] {
        let Weights { hidden, w1, b1, w2, b2 } = weights;
        [Self::new(784, *hidden, w1, b1), Self::new(*hidden, 10, w2, b2)]
    }

    fn zeros_like(other: &Self) -> Self {
        Self { weights: Array2::zeros(other.weights.dim()), bias: Array1::zeros(other.bias.dim()) }
    }

    fn forward(&self, inputs: &ArrayView2<'_, f32>, outputs: &mut ArrayViewMut2<'_, f32>) {
        general_mat_mul(1.0, inputs, &self.weights, 0.0, outputs);
        *outputs += &self.bias;
    }

    /// Row by row of the weights: a product would copy them all first.
    fn forward_one(&self, inputs: &[f32], mut outputs: ArrayViewMut1<'_, f32>) {
        outputs.assign(&self.bias);
        for (&input, weights) in inputs.iter().zip(self.weights.rows()) {
            outputs.scaled_add(input, &weights);
        }
    }

    /// v ← μ·v − η·g; w ← w + v.
    fn descend(
        &mut self,
        velocity: &mut Self,
        job: &Job,
        inputs: &ArrayView2<'_, f32>,
        error: &ArrayView2<'_, f32>,
    ) {
        let (rate, momentum) = (job.learning_rate, job.momentum);
        general_mat_mul(-rate, &inputs.t(), error, momentum, &mut velocity.weights);
        velocity.bias *= momentum;
        for row in error.rows() {
            velocity.bias.scaled_add(-rate, &row);
        }
        self.weights += &velocity.weights;
        self.bias += &velocity.bias;
    }
}

pub fn train(initial: &Weights, dataset: &Dataset, job: &Job) -> Weights {
    let [mut first, mut second] = Layer::pair(initial);
    let mut velocities = (Layer::zeros_like(&first), Layer::zeros_like(&second));
    let rows = job.batch.min(dataset.len());
    let mut inputs = Array2::zeros((rows, 784));
    let mut hidden = Array2::zeros((rows, job.hidden));
    let mut hidden_error = Array2::zeros((rows, job.hidden));
    let mut logits = Array2::zeros((rows, 10));

    let mut batches = Batches::new(dataset);
    for _ in 0..job.epochs {
        batches.shuffle();
        for batch in batches.indices(job.batch) {
            let rows = s![..batch.len(), ..];
            let mut x = inputs.slice_mut(rows);
            let mut h = hidden.slice_mut(rows);
            let mut e = hidden_error.slice_mut(rows);
            let mut y = logits.slice_mut(rows);

            batches.gather(batch, x.as_slice_mut().expect("whole rows"));
            first.forward(&x.view(), &mut h);
            h.mapv_inplace(|value| value.max(0.0));
            second.forward(&h.view(), &mut y);

            softmax(&mut y);
            let scale = 1.0 / batch.len() as f32;
            for (mut row, &index) in y.rows_mut().into_iter().zip(batch) {
                row[usize::from(batches.label(index))] -= 1.0;
                row *= scale;
            }
            general_mat_mul(1.0, &y, &second.weights.t(), 0.0, &mut e);
            Zip::from(&mut e).and(&h).for_each(|e, &h| *e = if h > 0.0 { *e } else { 0.0 });
            second.descend(&mut velocities.1, job, &h.view(), &y.view());
            first.descend(&mut velocities.0, job, &x.view(), &e.view());
        }
    }
    let vec = |array: Array2<f32>| array.into_raw_vec_and_offset().0;
    Weights {
        hidden: job.hidden,
        w1: vec(first.weights),
        b1: first.bias.to_vec(),
        w2: vec(second.weights),
        b2: second.bias.to_vec(),
    }
}

pub fn predictor(weights: &Weights) -> Box<dyn Predictor> {
    Box::new(Prediction {
        layers: Layer::pair(weights),
        hidden: Array2::zeros((1, weights.hidden)),
        logits: Array2::zeros((1, 10)),
        images: Array2::zeros((0, 784)),
    })
}

struct Prediction {
    layers: [Layer; 2],
    hidden: Array2<f32>,
    logits: Array2<f32>,
    images: Array2<f32>,
}

impl Predictor for Prediction {
    fn one(&mut self, image: &[f32], probabilities: &mut [f32]) {
        let Self { layers: [first, second], hidden, logits, .. } = self;
        first.forward_one(image, hidden.row_mut(0));
        hidden.mapv_inplace(|value| value.max(0.0));
        second.forward_one(hidden.as_slice().expect("one row"), logits.row_mut(0));
        softmax(&mut logits.view_mut());
        probabilities.copy_from_slice(logits.as_slice().expect("one row"));
    }

    fn prepare(&mut self, images: &[f32]) {
        let images = ArrayView2::from_shape((images.len() / 784, 784), images);
        self.images = images.expect("784 pixels each").to_owned();
    }

    fn many(&mut self) -> Vec<f32> {
        let mut hidden = Array2::zeros((self.images.nrows(), self.hidden.ncols()));
        let mut logits = Array2::zeros((self.images.nrows(), 10));
        let images = self.images.view();
        forward(&self.layers, &images, &mut hidden.view_mut(), &mut logits.view_mut());
        logits.into_raw_vec_and_offset().0
    }
}

fn forward(
    layers: &[Layer; 2],
    images: &ArrayView2<'_, f32>,
    hidden: &mut ArrayViewMut2<'_, f32>,
    logits: &mut ArrayViewMut2<'_, f32>,
) {
    layers[0].forward(images, hidden);
    hidden.mapv_inplace(|value| value.max(0.0));
    layers[1].forward(&hidden.view(), logits);
    softmax(logits);
}

fn softmax(logits: &mut ArrayViewMut2<'_, f32>) {
    for mut row in logits.axis_iter_mut(Axis(0)) {
        let max = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        row.mapv_inplace(|value| (value - max).exp());
        let scale = 1.0 / row.sum();
        row *= scale;
    }
}
