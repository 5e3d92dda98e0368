//! An epoch over the 2,000 images of the sample in `fixtures/mnist`.

use std::ops::ControlFlow;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use digit_recognizer::mnist::{self, Split};
use digit_recognizer::{Activation, Network, TrainConfig};

fn train_epoch(criterion: &mut Criterion) {
    let training = mnist::load("fixtures/mnist", Split::Train).expect("the sample of MNIST");
    let mut group = criterion.benchmark_group("train_epoch");
    group.throughput(Throughput::Elements(training.len() as u64));
    group.sample_size(10);
    for (hidden, batch_size) in [(128, 64), (512, 128)] {
        let sizes = [784, hidden, 10];
        let network = Network::new(&sizes, Activation::Relu, 1).expect("sizes");
        let config = TrainConfig { epochs: 1, batch_size, ..Default::default() };
        let id = BenchmarkId::new(format!("784-{hidden}-10"), format!("batch {batch_size}"));
        group.bench_function(id, |bencher| {
            bencher.iter_batched_ref(
                || network.clone(),
                |network| network.train(&training, None, &config, |_| ControlFlow::Continue(())),
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, train_epoch);
criterion_main!(benches);
