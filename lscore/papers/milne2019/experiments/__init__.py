"""The experiments of Milne (2019): toy regression, image classification."""
