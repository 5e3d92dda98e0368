//! `burn` with its own layers, loss and optimiser, on its CPU backends.

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::activation::{relu, softmax};
use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::job::{Batches, Job, Predictor, Weights};
use crate::ours::Dataset;

#[derive(Module, Debug)]
struct Mlp {
    hidden: Linear,
    output: Linear,
}

impl Mlp {
    fn new(weights: &Weights, device: &Device) -> Self {
        let linear = |weights: &[f32], bias: &[f32]| {
            let shape = [weights.len() / bias.len(), bias.len()];
            let weights = TensorData::new(weights.to_vec(), shape);
            let bias = TensorData::new(bias.to_vec(), [bias.len()]);
            Linear {
                weight: Param::from_data(weights, device),
                bias: Some(Param::from_data(bias, device)),
            }
        };
        Self { hidden: linear(&weights.w1, &weights.b1), output: linear(&weights.w2, &weights.b2) }
    }

    fn logits(&self, images: Tensor<2>) -> Tensor<2> {
        self.output.forward(relu(self.hidden.forward(images)))
    }

    fn to_weights(&self, hidden: usize) -> Weights {
        let bias = |layer: &Linear| vec(layer.bias.as_ref().expect("a bias").val());
        Weights {
            hidden,
            w1: vec(self.hidden.weight.val()),
            b1: bias(&self.hidden),
            w2: vec(self.output.weight.val()),
            b2: bias(&self.output),
        }
    }
}

fn vec<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.try_into_vec_as().expect("f32 on the CPU")
}

pub fn train(initial: &Weights, dataset: &Dataset, job: &Job, device: Device) -> Weights {
    let device = &device.autodiff();
    let mut model = Mlp::new(initial, device);
    let mut sgd = SgdConfig::new();
    if job.momentum > 0.0 {
        let momentum = MomentumConfig::new().with_momentum(f64::from(job.momentum));
        sgd = sgd.with_momentum(Some(momentum.with_dampening(0.0)));
    }
    let mut optimizer = sgd.init();
    let cross_entropy = CrossEntropyLossConfig::new().init(device);

    let mut batches = Batches::new(dataset);
    for _ in 0..job.epochs {
        batches.shuffle();
        for batch in batches.indices(job.batch) {
            let mut pixels = vec![0.0; batch.len() * 784];
            batches.gather(batch, &mut pixels);
            let images = TensorData::new(pixels, [batch.len(), 784]);
            let labels: Vec<i32> = batch.iter().map(|&i| i32::from(batches.label(i))).collect();
            let labels = TensorData::new(labels, [batch.len()]);

            let logits = model.logits(Tensor::from_data(images, device));
            let labels = Tensor::<1, Int>::from_data(labels, device);
            let gradients = cross_entropy.forward(logits, labels).backward();
            let gradients = GradientsParams::from_grads(gradients, &model);
            model = optimizer.step(f64::from(job.learning_rate), model, gradients);
        }
    }
    model.to_weights(job.hidden)
}

pub fn predictor(weights: &Weights, device: Device) -> Box<dyn Predictor> {
    let images = Tensor::zeros([1, 784], &device);
    Box::new(Prediction { model: Mlp::new(weights, &device), device, images })
}

struct Prediction {
    model: Mlp,
    device: Device,
    images: Tensor<2>,
}

impl Prediction {
    fn tensor(&self, images: &[f32]) -> Tensor<2> {
        let data = TensorData::new(images.to_vec(), [images.len() / 784, 784]);
        Tensor::from_data(data, &self.device)
    }

    fn probabilities(&self, images: Tensor<2>) -> Vec<f32> {
        vec(softmax(self.model.logits(images), 1))
    }
}

impl Predictor for Prediction {
    fn one(&mut self, image: &[f32], probabilities: &mut [f32]) {
        probabilities.copy_from_slice(&self.probabilities(self.tensor(image)));
    }

    fn prepare(&mut self, images: &[f32]) {
        self.images = self.tensor(images);
    }

    fn many(&mut self) -> Vec<f32> {
        self.probabilities(self.images.clone())
    }
}
