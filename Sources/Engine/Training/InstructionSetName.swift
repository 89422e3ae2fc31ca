/// The instruction set that the kernels of this process use; recorded with all that they compute.
package let instructionSetName = "baseline"
