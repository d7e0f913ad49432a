"""Images through a local OpenML: downloaded once, spoiled or changed data refused."""

import gzip
import hashlib
import http.server
import json
import threading
from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import _openml

from lscore.errors import DataError
from lscore.papers.milne2019.experiments.images import IMAGE_SETS, ImageSet, load_images

SMALL = ImageSet("small", 61, (3, 2, 2), 12, 9, ("zero", "one", "two"))


def pixels():
    images = np.random.default_rng(0).integers(0, 256, (12, 12))
    return images, np.arange(12) % 3


class OpenML:
    """What a local server answers: the four addresses that `fetch_openml` asks for."""

    def __init__(self):
        images, labels = pixels()
        names = [f"pixel{i}" for i in range(12)]
        lines = ["@RELATION small", *(f"@ATTRIBUTE {name} INTEGER" for name in names)]
        lines += ["@ATTRIBUTE class {0,1,2}", "@DATA"]
        lines += [",".join(map(str, [*row, y])) for row, y in zip(images, labels, strict=True)]
        self.arff = "\n".join(lines).encode()
        self.md5 = hashlib.md5(self.arff).hexdigest()
        self.asked = []
        self.features = [self.feature(i, name, "numeric") for i, name in enumerate(names)]
        self.features.append(self.feature(12, "class", "nominal", is_target="true"))
        self.features[-1]["nominal_value"] = ["0", "1", "2"]

    @staticmethod
    def feature(index, name, kind, is_target="false"):
        common = {"is_ignore": "false", "is_row_identifier": "false"}
        about = {"index": str(index), "name": name, "data_type": kind, "is_target": is_target}
        return about | common | {"number_of_missing_values": "0"}

    def answer(self, path, base):
        self.asked.append(path)
        if path == "/info/61":
            about = {"id": "61", "name": "small", "version": "1", "status": "active"}
            about |= {"format": "ARFF", "description": "", "url": f"{base}/data/61"}
            return json.dumps({"data_set_description": about | {"md5_checksum": self.md5}}).encode()
        if path == "/features/61":
            return json.dumps({"data_features": {"feature": self.features}}).encode()
        if path == "/qualities/61":
            count = {"name": "NumberOfInstances", "value": "12.0"}
            return json.dumps({"data_qualities": {"quality": [count]}}).encode()
        return self.arff if path == "/data/61" else None


@pytest.fixture
def openml(monkeypatch):
    """A running local OpenML, and scikit-learn sent there."""
    service = OpenML()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = service.answer(self.path, base)
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Encoding", "gzip")
            self.end_headers()
            self.wfile.write(gzip.compress(body or b"{}"))

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    base = f"http://127.0.0.1:{server.server_port}"
    for name, path in [("INFO", "info"), ("FEATURES", "features"), ("QUALITIES", "qualities")]:
        monkeypatch.setattr(_openml, f"_DATA_{name}", f"{base}/{path}/{{}}")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield service
    server.shutdown()
    server.server_close()
    thread.join()


def test_images_are_downloaded_once_and_then_come_from_the_cache(openml, tmp_path):
    images, labels = pixels()
    train = load_images(SMALL, folder=tmp_path)
    assert train.X.shape == (9, 3, 2, 2)
    assert train.X.dtype == np.float32
    assert np.array_equal(train.X, images[:9].reshape(9, 3, 2, 2).astype(np.float32) / 255)
    assert np.array_equal(train.y, labels[:9])
    assert train.classes == ("zero", "one", "two")
    asked = len(openml.asked)
    assert asked >= 4
    test = load_images(SMALL, "test", folder=tmp_path, dtype=np.float64)
    assert np.array_equal(test.X, images[9:].reshape(3, 3, 2, 2) / 255)
    assert len(load_images(SMALL, "all", folder=tmp_path)) == 12
    assert len(openml.asked) == asked
    assert len((tmp_path / "small.sha256").read_text()) == 64


def spoiled_archive(folder):
    with np.load(folder / "small.npz") as arrays:
        images, labels = arrays["images"].copy(), arrays["labels"]
    images[0, 0, 0, 0] ^= 1
    np.savez(folder / "small.npz", images=images, labels=labels)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (spoiled_archive, "SHA-256 is not the recorded one"),
        (lambda f: (f / "small.npz").write_bytes((f / "small.npz").read_bytes()[:-40]), "read"),
        (lambda f: (f / "small.npz").write_bytes(b""), "cannot be read"),
        (lambda f: (f / "small.sha256").write_text("0" * 64), "SHA-256 is not the recorded one"),
        (lambda f: (f / "small.sha256").unlink(), "has no small.sha256"),
        (lambda f: (f / "small.npz").unlink(), "has no small.npz"),
    ],
    ids=["one pixel", "truncated", "empty", "record", "no record", "no data"],
)
def test_a_changed_cache_is_refused(openml, tmp_path, spoil, message):
    load_images(SMALL, folder=tmp_path)
    asked = len(openml.asked)
    spoil(tmp_path)
    with pytest.raises(DataError, match=message) as refused:
        load_images(SMALL, folder=tmp_path)
    assert "delete small.npz and small.sha256" in str(refused.value)
    assert len(openml.asked) == asked


def test_a_download_that_was_tampered_with_is_refused(openml, tmp_path):
    openml.arff = openml.arff[:-1] + b"0"
    with pytest.raises(DataError, match="md5"), pytest.warns(RuntimeWarning, match="Invalid cache"):
        load_images(SMALL, folder=tmp_path)
    assert not (tmp_path / "small.npz").exists()


def test_a_download_of_something_else_is_refused(openml, tmp_path):
    with pytest.raises(DataError, match=r"delivered \(12, 12\), need \(13, 12\)"):
        load_images(replace(SMALL, rows=13), folder=tmp_path)
    with pytest.raises(DataError, match=r"labels are not 12 of 0..3"):
        load_images(replace(SMALL, classes=("a", "b", "c", "d")), folder=tmp_path)
    assert not (tmp_path / "small.npz").exists()


def test_without_a_network_the_message_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(_openml, "_DATA_INFO", "http://127.0.0.1:9/info/{}")
    monkeypatch.setattr(_openml.time, "sleep", lambda seconds: None)
    offline = pytest.raises(DataError, match="OpenML cannot be reached")
    with offline, pytest.warns(UserWarning, match="Retrying"):
        load_images("mnist", folder=tmp_path, retries=1)


def test_unknown_names_and_parts(tmp_path):
    with pytest.raises(DataError, match="need one of mnist, cifar10, cifar100"):
        load_images("imagenet", folder=tmp_path)
    with pytest.raises(DataError, match="train, test or all"):
        load_images("mnist", "half", folder=tmp_path)


def test_the_image_sets_fit_the_networks():
    assert IMAGE_SETS["mnist"].shape == (1, 28, 28)
    for name, count in (("cifar10", 10), ("cifar100", 100)):
        assert IMAGE_SETS[name].shape == (3, 32, 32)
        assert len(IMAGE_SETS[name].classes) == count
