//! `tract`, on an ONNX model that is put together here. It only predicts.

use std::sync::Arc;

use tract_onnx::pb;
use tract_onnx::prelude::*;

use crate::job::{Predictor, Weights};

type Plan = Arc<TypedRunnableModel>;

pub fn predictor(weights: &Weights) -> TractResult<Box<dyn Predictor>> {
    let model = model(weights);
    let one = plan(&model, 1)?;
    Ok(Box::new(Prediction { model, many: one.clone(), one, images: Tensor::default().into() }))
}

struct Prediction {
    model: pb::ModelProto,
    one: Plan,
    many: Plan,
    images: TValue,
}

impl Predictor for Prediction {
    fn one(&mut self, image: &[f32], probabilities: &mut [f32]) {
        let image = Tensor::from_shape(&[1, 784], image).expect("784 pixels");
        probabilities.copy_from_slice(&run(&self.one, image.into()));
    }

    fn prepare(&mut self, images: &[f32]) {
        let count = images.len() / 784;
        self.many = plan(&self.model, count).expect("a plan, as for one");
        let images = Tensor::from_shape(&[count, 784], images).expect("784 pixels each");
        self.images = Arc::new(images).into_tvalue();
    }

    fn many(&mut self) -> Vec<f32> {
        run(&self.many, self.images.clone())
    }
}

fn run(plan: &Plan, images: TValue) -> Vec<f32> {
    let outputs = plan.run(tvec!(images)).expect("shapes that fit");
    outputs[0].to_plain_array_view::<f32>().expect("probabilities").iter().copied().collect()
}

/// The model for one number of images.
fn plan(model: &pb::ModelProto, images: usize) -> TractResult<Plan> {
    tract_onnx::onnx()
        .model_for_proto_model(model)?
        .with_input_fact(0, f32::fact([images, 784]).into())?
        .into_optimized()?
        .into_runnable()
}

/// softmax(relu(x·W1 + b1)·W2 + b2), as ONNX.
fn model(weights: &Weights) -> pb::ModelProto {
    let Weights { hidden, w1, b1, w2, b2 } = weights;
    let hidden = *hidden as i64;
    let graph = pb::GraphProto {
        name: "mlp".to_owned(),
        node: vec![
            node("Gemm", &["x", "w1", "b1"], "z1"),
            node("Relu", &["z1"], "h"),
            node("Gemm", &["h", "w2", "b2"], "z2"),
            node("Softmax", &["z2"], "p"),
        ],
        initializer: vec![
            tensor("w1", &[784, hidden], w1),
            tensor("b1", &[hidden], b1),
            tensor("w2", &[hidden, 10], w2),
            tensor("b2", &[10], b2),
        ],
        input: vec![value("x")],
        output: vec![value("p")],
        ..Default::default()
    };
    let opset = pb::OperatorSetIdProto { version: 13, ..Default::default() };
    let (graph, opset_import) = (Some(graph), vec![opset]);
    pb::ModelProto { ir_version: 7, opset_import, graph, ..Default::default() }
}

/// An input or output of the graph: f32, its shape is told later.
fn value(name: &str) -> pb::ValueInfoProto {
    let elem_type = pb::tensor_proto::DataType::Float.into();
    let tensor = pb::type_proto::Tensor { elem_type, shape: None };
    let value = Some(pb::type_proto::Value::TensorType(tensor));
    let r#type = Some(pb::TypeProto { value, ..Default::default() });
    pb::ValueInfoProto { name: name.to_owned(), r#type, ..Default::default() }
}

fn node(op_type: &str, inputs: &[&str], output: &str) -> pb::NodeProto {
    pb::NodeProto {
        name: output.to_owned(),
        op_type: op_type.to_owned(),
        input: inputs.iter().map(|&input| input.to_owned()).collect(),
        output: vec![output.to_owned()],
        ..Default::default()
    }
}

fn tensor(name: &str, dims: &[i64], elements: &[f32]) -> pb::TensorProto {
    pb::TensorProto {
        name: name.to_owned(),
        dims: dims.to_vec(),
        data_type: pb::tensor_proto::DataType::Float.into(),
        raw_data: elements.iter().flat_map(|element| element.to_le_bytes()).collect(),
        ..Default::default()
    }
}
