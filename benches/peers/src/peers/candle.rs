//! `candle` on the CPU. Its `SGD` has no momentum, so that is two operations in
//! place on its tensors.

use candle_core::{CpuStorage, Device, InplaceOp2, Layout, Result, Tensor, Var, bail};
use candle_nn::{loss, ops};

use crate::job::{Batches, Job, Predictor, Weights};
use crate::ours::Dataset;

/// Weights and bias of the first layer, then of the second.
struct Parameters([Var; 4]);

impl Parameters {
    fn new(weights: &Weights) -> Result<Self> {
        let Weights { hidden, w1, b1, w2, b2 } = weights;
        let cpu = &Device::Cpu;
        Ok(Self([
            Var::from_slice(w1, (784, *hidden), cpu)?,
            Var::from_slice(b1, *hidden, cpu)?,
            Var::from_slice(w2, (*hidden, 10), cpu)?,
            Var::from_slice(b2, 10, cpu)?,
        ]))
    }

    fn logits(&self, images: &Tensor) -> Result<Tensor> {
        let [w1, b1, w2, b2] = self.0.each_ref().map(Var::as_tensor);
        images.matmul(w1)?.broadcast_add(b1)?.relu()?.matmul(w2)?.broadcast_add(b2)
    }

    fn to_weights(&self, hidden: usize) -> Result<Weights> {
        let [w1, b1, w2, b2] =
            self.0.each_ref().map(|parameter| parameter.flatten_all()?.to_vec1::<f32>());
        Ok(Weights { hidden, w1: w1?, b1: b1?, w2: w2?, b2: b2? })
    }
}

pub fn train(initial: &Weights, dataset: &Dataset, job: &Job) -> Result<Weights> {
    let parameters = Parameters::new(initial)?;
    let velocities = Parameters::new(initial)?.0;
    for velocity in &velocities {
        velocity.zero_set()?;
    }
    let mut batches = Batches::new(dataset);
    for _ in 0..job.epochs {
        batches.shuffle();
        for batch in batches.indices(job.batch) {
            let mut pixels = vec![0.0; batch.len() * 784];
            batches.gather(batch, &mut pixels);
            let images = Tensor::from_vec(pixels, (batch.len(), 784), &Device::Cpu)?;
            let labels = batch.iter().map(|&index| u32::from(batches.label(index))).collect();
            let labels = Tensor::from_vec(labels, batch.len(), &Device::Cpu)?;

            let loss = loss::cross_entropy(&parameters.logits(&images)?, &labels)?;
            let gradients = loss.backward()?;
            for (parameter, velocity) in parameters.0.iter().zip(&velocities) {
                let Some(gradient) = gradients.get(parameter) else { bail!("no gradient") };
                let gradient = gradient.contiguous()?;
                let step = ScaleAdd { keep: job.momentum, scale: -job.learning_rate };
                velocity.inplace_op2(&gradient, &step)?;
                parameter.inplace_op2(velocity, &ScaleAdd { keep: 1.0, scale: 1.0 })?;
            }
        }
    }
    parameters.to_weights(job.hidden)
}

/// x ← `keep`·x + `scale`·y.
struct ScaleAdd {
    keep: f32,
    scale: f32,
}

impl InplaceOp2 for ScaleAdd {
    fn name(&self) -> &'static str {
        "scale-add"
    }

    fn cpu_fwd(
        &self,
        x: &mut CpuStorage,
        x_layout: &Layout,
        y: &CpuStorage,
        y_layout: &Layout,
    ) -> Result<()> {
        let (CpuStorage::F32(x), CpuStorage::F32(y)) = (x, y) else { bail!("f32 expected") };
        let (Some((x_start, x_end)), Some((y_start, y_end))) =
            (x_layout.contiguous_offsets(), y_layout.contiguous_offsets())
        else {
            bail!("contiguous tensors expected")
        };
        for (x, y) in x[x_start..x_end].iter_mut().zip(&y[y_start..y_end]) {
            *x = self.keep * *x + self.scale * y;
        }
        Ok(())
    }
}

pub fn predictor(weights: &Weights) -> Result<Box<dyn Predictor>> {
    // Plain tensors: nothing is recorded for gradients.
    let layers = Parameters::new(weights)?.0.map(|parameter| parameter.as_detached_tensor());
    let images = Tensor::zeros((0, 784), candle_core::DType::F32, &Device::Cpu)?;
    Ok(Box::new(Prediction { layers, images }))
}

struct Prediction {
    layers: [Tensor; 4],
    images: Tensor,
}

impl Prediction {
    fn probabilities(&self, images: &Tensor) -> Result<Vec<f32>> {
        let [w1, b1, w2, b2] = &self.layers;
        let hidden = images.matmul(w1)?.broadcast_add(b1)?.relu()?;
        let logits = hidden.matmul(w2)?.broadcast_add(b2)?;
        ops::softmax_last_dim(&logits)?.flatten_all()?.to_vec1()
    }
}

impl Predictor for Prediction {
    fn one(&mut self, image: &[f32], probabilities: &mut [f32]) {
        let image = Tensor::from_slice(image, (1, 784), &Device::Cpu).expect("784 pixels");
        probabilities.copy_from_slice(&self.probabilities(&image).expect("shapes that fit"));
    }

    fn prepare(&mut self, images: &[f32]) {
        let shape = (images.len() / 784, 784);
        self.images = Tensor::from_slice(images, shape, &Device::Cpu).expect("784 pixels each");
    }

    fn many(&mut self) -> Vec<f32> {
        self.probabilities(&self.images).expect("shapes that fit")
    }
}
